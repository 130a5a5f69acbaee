using System.ComponentModel;
using System.Diagnostics;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// Which ciphers ssh is to offer first. OpenSSH before 10 puts ChaCha20 before AES-GCM, which processors with instructions for AES do several times as fast. Only the order is changed, and only
/// where the configuration says nothing of ciphers: what an administrator or a distribution's policy has set stands.
/// </summary>
internal static class SshCiphers
{
    private const string Keyword = "ciphers ";

    // Evaluating a configuration may ask a name server.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>The same ciphers with AES-GCM in front, as ssh's argument; null where ssh's own order is to stand.</summary>
    /// <param name="program">The ssh program.</param>
    /// <param name="arguments">What it will be started with.</param>
    public static string? Preferred(string program, IReadOnlyList<string> arguments)
    {
        if (!System.Runtime.Intrinsics.X86.Aes.IsSupported && !System.Runtime.Intrinsics.Arm.Aes.IsSupported)
            return null;
        var own = Ask(program, ["-F", "none", "-G", "localhost"]);
        return own is not null && string.Equals(own, Ask(program, ["-G", .. arguments]), StringComparison.Ordinal) ? Reorder(own) : null;
    }

    /// <summary>Brings AES-GCM to the front; null where it is not among them, or is there already.</summary>
    internal static string? Reorder(string ciphers)
    {
        var names = ciphers.Split(',');
        var ordered = string.Join(',', names.OrderByDescending(name => name.Contains("-gcm", StringComparison.Ordinal)));
        return string.Equals(ordered, ciphers, StringComparison.Ordinal) ? null : "Ciphers=" + ordered;
    }

    // What a configuration comes to; null where ssh does not say, for whatever reason: it will tell the same reason again where it counts.
    private static string? Ask(string program, IEnumerable<string> arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, CreateNoWindow = true };
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var errors = process.StandardError.ReadToEndAsync();
            var said = process.StandardOutput.ReadToEndAsync();
            if (!Task.WaitAll([said, errors], Limit) || !process.WaitForExit(Limit))
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
                return null;
            }

            return process.ExitCode == 0 ? Array.Find(said.Result.Split('\n', StringSplitOptions.TrimEntries), line => line.StartsWith(Keyword, StringComparison.Ordinal))?[Keyword.Length..] : null;
        }
        catch (Exception unheard) when (unheard is Win32Exception or InvalidOperationException or IOException or AggregateException)
        {
            return null;
        }
    }
}
