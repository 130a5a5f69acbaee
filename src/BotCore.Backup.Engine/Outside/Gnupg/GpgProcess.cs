using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>
/// A running gpg with its three pipes. Its error pipe is drained by a thread of its own, so that it never blocks on it. Disposing kills it where it still
/// runs and waits for its end, so no zombie stays. <see cref="Kill"/> may be called from any thread.
/// </summary>
internal sealed class GpgProcess : IDisposable
{
    private const int MostStatuses = 4096;
    private const int MostLastWords = 4;
    private const int LongestWords = 300;

    // A daemon that gpg started could keep its error pipe open; its own lines are all in the pipe when it has ended.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Thread _drain;
    private readonly Lock _lock = new();
    private readonly List<GpgStatus> _statuses = [];
    private readonly Queue<string> _lastWords = new();

    private GpgProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        Input = process.StandardInput.BaseStream;
        Output = process.StandardOutput.BaseStream;
        _drain = new Thread(Drain) { IsBackground = true, Name = "gpg messages" };
        _drain.Start();
    }

    /// <summary>gpg's standard input, unbuffered.</summary>
    internal Stream Input { get; }

    /// <summary>gpg's standard output.</summary>
    internal Stream Output { get; }

    /// <summary>Its process id, also after its end.</summary>
    internal int Id { get; }

    internal static GpgProcess Start(string program, string? homeDirectory, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        // What is told to people is quoted in failures: in English, as they are.
        start.Environment["LC_ALL"] = "C";
        start.Environment.Remove("LANGUAGE");
        if (homeDirectory is not null)
            Add(start, "--homedir", homeDirectory);
        Add(start, "--batch", "--no-tty", "--status-fd", "2", "--no-armor");
        // Nothing is looked up on the network: keys are those that the admin imported.
        Add(start, "--no-auto-key-locate", "--no-auto-key-retrieve", "--disable-dirmngr");
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return new GpgProcess(Process.Start(start)!);
        }
        catch (Win32Exception cause)
        {
            throw new BackupException(FailureKind.ToolMissing, $"{program} cannot be started.", "Install the package gnupg.", program, cause);
        }
    }

    /// <summary>Waits for the end and tells what was said.</summary>
    internal GpgReport Finish()
    {
        _process.WaitForExit();
        _drain.Join(DrainLimit);
        lock (_lock)
            return new GpgReport(_process.ExitCode, [.. _statuses], [.. _lastWords]);
    }

    /// <summary>Ends it at once, if it runs.</summary>
    internal void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception ended) when (ended is InvalidOperationException or Win32Exception)
        {
            // It had ended by itself, or this object is disposed of.
        }
    }

    /// <summary>Tells gpg that there is no more input.</summary>
    internal void CloseInput()
    {
        try
        {
            Input.Dispose();
        }
        catch (IOException)
        {
            // gpg is gone already; its exit code says why.
        }
    }

    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _drain.Join(DrainLimit);
        CloseInput();
        Output.Dispose();
        _process.Dispose();
    }

    private static void Add(ProcessStartInfo start, params ReadOnlySpan<string> arguments)
    {
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
    }

    private void Drain()
    {
        try
        {
            while (_process.StandardError.ReadLine() is { } line)
                Keep(line);
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipe was closed under us after the drain limit.
        }
    }

    private void Keep(string line)
    {
        lock (_lock)
        {
            if (GpgStatus.Parse(line) is { } status)
            {
                if (_statuses.Count < MostStatuses)
                    _statuses.Add(status);
                return;
            }

            var words = line.StartsWith("gpg: ", StringComparison.Ordinal) ? line[5..] : line.Trim();
            if (words.Length == 0 || words.StartsWith("WARNING: unsafe permissions", StringComparison.Ordinal) || words.Contains("' created", StringComparison.Ordinal))
                return;
            _lastWords.Enqueue(words.Length > LongestWords ? words[..LongestWords] : words);
            if (_lastWords.Count > MostLastWords)
                _lastWords.Dequeue();
        }
    }
}
