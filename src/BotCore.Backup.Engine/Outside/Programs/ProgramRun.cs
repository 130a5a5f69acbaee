using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Outside.Programs;

/// <summary>What a program of the system said. Immutable.</summary>
/// <param name="ExitCode">0 where it succeeded.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Errors">Its standard error.</param>
internal sealed record ProgramAnswer(int ExitCode, string Output, string Errors);

/// <summary>Runs a small program of the system to its end: short input, short answer, in English. No secret may be among the arguments, which everybody on the machine can read.</summary>
internal static class ProgramRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs it. Null where it is not installed; throws <see cref="BackupException"/> (SourceUnreachable) where it does not end in time.</summary>
    /// <param name="program">Its name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="token">Ends it.</param>
    /// <param name="environment">Variables to set, beside those that are there.</param>
    /// <param name="limit">How long it may take; half a minute where nothing is said.</param>
    public static ProgramAnswer? TryRun(string program, IEnumerable<string> arguments, string input, CancellationToken token, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? limit = null)
    {
        var encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = encoding,
            StandardOutputEncoding = encoding,
            StandardErrorEncoding = encoding,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment.Remove("LANGUAGE");
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        Process? process = null;
        try
        {
            process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            Write(process, input);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(token);
            end.CancelAfter(limit ?? Patience);
            process.WaitForExitAsync(end.Token).GetAwaiter().GetResult();
            return new ProgramAnswer(process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
        }
        catch (Win32Exception)
        {
            return null;
        }
        catch (OperationCanceledException late)
        {
            process?.Kill(entireProcessTree: true);
            process?.WaitForExit();
            token.ThrowIfCancellationRequested();
            throw new BackupException(FailureKind.SourceUnreachable, $"{program} did not end within {(limit ?? Patience).TotalSeconds:0} seconds.", $"Run {program} by hand and see what it waits for.", program, late);
        }
        finally
        {
            process?.Dispose();
        }
    }

    private static void Write(Process process, string input)
    {
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code and its words say why.
        }
    }
}
