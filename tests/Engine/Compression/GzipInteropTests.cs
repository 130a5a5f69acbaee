using System.Diagnostics;
using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class GzipInteropTests
{
    [ToolFact("gzip")]
    public void Gzip_reads_what_managed_wrote() => ToolReads("gzip", Samples.Managed);

    [ToolFact("pigz")]
    public void Pigz_reads_what_managed_wrote() => ToolReads("pigz", Samples.Managed);

    [ToolFact("gzip")]
    public void Gzip_reads_what_this_machine_writes() => ToolReads("gzip", Samples.Native);

    [ToolFact("pigz")]
    public void Pigz_reads_what_this_machine_writes() => ToolReads("pigz", Samples.Native);

    [ToolFact("gzip")]
    public void We_read_what_gzip_wrote() => WeRead("gzip", "-6");

    [ToolFact("pigz")]
    public void We_read_what_pigz_wrote() => WeRead("pigz", "-p2");

    [ToolFact("pigz")]
    public void We_read_independent_blocks_of_pigz() => WeRead("pigz", "-i");

    [ToolFact("gzip")]
    public void Gzip_agrees_on_padding_after_the_end()
    {
        var (stream, plain, _) = Samples.Members(Samples.Native, 1000);
        Assert.Equal((0, plain.Length), Lengths(Run("gzip", "-dc", [.. stream, .. new byte[1024]])));
        Assert.Equal((2, plain.Length), Lengths(Run("gzip", "-dc", [.. stream, 0, 1])));
    }

    private static (int ExitCode, int Length) Lengths((int ExitCode, byte[] Output) run) => (run.ExitCode, run.Output.Length);

    private static void ToolReads(string tool, GzipCodec codec)
    {
        foreach (var level in new[] { 1, 6, 9 })
        {
            byte[][] blocks = [.. Samples.Sizes.Select(size => Samples.Text(size)), Samples.Noise(Samples.BlockSize), []];
            byte[][] members = [.. blocks.Select(block => Samples.Member(codec, block, level))];
            for (var i = 0; i < blocks.Length; i++)
            {
                Assert.Equal(0, Run(tool, "-t", members[i]).ExitCode);
                var (exitCode, output) = Run(tool, "-dc", members[i]);
                Assert.Equal(0, exitCode);
                Assert.Equal(blocks[i], output);
            }

            byte[] all = [.. members.SelectMany(m => m)];
            Assert.Equal(0, Run(tool, "-t", all).ExitCode);
            Assert.Equal([.. blocks.SelectMany(b => b)], Run(tool, "-dc", all).Output);
        }
    }

    private static void WeRead(string tool, string option)
    {
        foreach (var size in Samples.Sizes)
        {
            foreach (var data in new[] { Samples.Text(size), Samples.Noise(size) })
            {
                var (exitCode, stream) = Run(tool, option, data);
                Assert.Equal(0, exitCode);
                Assert.Equal(data, Samples.ReadAll(Samples.Managed, stream));
                Assert.Equal([.. data, .. data], Samples.ReadAll(Samples.Managed, [.. stream, .. stream]));
                Assert.Equal(data, Samples.Open(Samples.Managed, stream, data.Length));
                Assert.Equal(data, Samples.Open(Samples.Native, stream, data.Length));
            }
        }
    }

    private static (int ExitCode, byte[] Output) Run(string tool, string option, byte[] input)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, [option])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var feeder = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        var output = Samples.ReadAll(process.StandardOutput.BaseStream);
        process.WaitForExit();
        feeder.GetAwaiter().GetResult();
        return (process.ExitCode, output);
    }
}
