using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// A running ssh with its three pipes. Its error pipe is drained by a thread of its own. Disposing ends it where it still runs and waits for its end, so no zombie stays.
/// </summary>
internal sealed class SshProcess : ISftpTransport
{
    private const int MostLines = 200;
    private const int LongestLine = 300;

    // A program that ssh started (ProxyCommand) could keep the error pipe open.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly string _host;
    private readonly Thread _drain;
    private readonly List<string> _lines = [];

    private SshProcess(Process process, string host)
    {
        (_process, _host) = (process, host);
        Id = process.Id;
        ToServer = process.StandardInput.BaseStream;
        FromServer = process.StandardOutput.BaseStream;
        PipeSize.Widen(ToServer);
        PipeSize.Widen(FromServer);
        _drain = new Thread(Drain) { IsBackground = true, Name = "ssh messages" };
        _drain.Start();
    }

    public Stream FromServer { get; }

    public Stream ToServer { get; }

    /// <summary>Its process id, also after its end.</summary>
    public int Id { get; }

    public static SshProcess Start(SftpOptions options)
    {
        var arguments = SshArguments.Of(options);
        var program = Find(options.Program) ?? throw new SftpException(SftpError.NoSshProgram, $"There is no program {options.Program} on the PATH.");
        if (SshCiphers.Preferred(program, arguments) is { } ciphers)
            arguments.InsertRange(0, ["-o", ciphers]);
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        // What ssh says is read here, in English; and it asks nobody.
        start.Environment["LC_ALL"] = "C";
        start.Environment.Remove("LANGUAGE");
        start.Environment["SSH_ASKPASS_REQUIRE"] = "never";
        try
        {
            return new SshProcess(Process.Start(start)!, options.Host);
        }
        catch (Win32Exception cause)
        {
            throw new SftpException(SftpError.NoSshProgram, $"{program} cannot be started: {cause.Message}", cause);
        }
    }

    /// <summary>The program's file, where it is on the PATH and can be run. The current folder is not looked at.</summary>
    internal static string? Find(string program)
    {
        if (Path.IsPathFullyQualified(program))
            return CanRun(program) ? program : null;
        var file = OperatingSystem.IsWindows() && !Path.HasExtension(program) ? program + ".exe" : program;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .Select(folder => Path.Combine(folder, file))
            .FirstOrDefault(CanRun);
    }

    public void Abort()
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

    public void Close()
    {
        CloseInput();
        try
        {
            _process.WaitForExit(EndLimit);
        }
        catch (InvalidOperationException)
        {
            // Disposed of.
        }
    }

    public SftpException Explain(bool wasEstablished, Exception? cause)
    {
        int? exitCode = null;
        try
        {
            // It closed its pipes, so it is about to end; what it said is whole only then.
            if (!_process.WaitForExit(EndLimit))
                Abort();
            _process.WaitForExit();
            exitCode = _process.ExitCode;
        }
        catch (InvalidOperationException)
        {
            // Disposed of meanwhile.
        }

        _drain.Join(DrainLimit);
        lock (_lines)
            return SshDiagnosis.Of(_host, _lines, exitCode, wasEstablished, cause);
    }

    public void Dispose()
    {
        Abort();
        _process.WaitForExit();
        _drain.Join(DrainLimit);
        CloseInput();
        FromServer.Dispose();
        _process.Dispose();
    }

    private static bool CanRun(string path)
    {
        const UnixFileMode execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & execute) != UnixFileMode.None);
    }

    private void CloseInput()
    {
        try
        {
            ToServer.Dispose();
        }
        catch (IOException)
        {
            // ssh is gone already.
        }
    }

    private void Drain()
    {
        try
        {
            while (_process.StandardError.ReadLine() is { } line)
                Keep(line.TrimEnd());
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipe was closed under us after the drain limit.
        }
    }

    private void Keep(string line)
    {
        if (line.Length == 0)
            return;
        lock (_lines)
        {
            // The first lines may be a banner, the last ones are the reason.
            if (_lines.Count == MostLines)
                _lines.RemoveAt(0);
            _lines.Add(line.Length > LongestLine ? line[..LongestLine] : line);
        }
    }
}
