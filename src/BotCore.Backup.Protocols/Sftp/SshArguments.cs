using System.Globalization;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>The command line of ssh. ssh takes the first value that it finds for an option, so what stands first here holds, whatever ssh_config says.</summary>
internal static class SshArguments
{
    // A dead network is noticed after so many signs of life without an answer.
    private const int AliveCount = 3;

    public static List<string> Of(SftpOptions options)
    {
        if (options.Host.Length == 0 || options.Host[0] == '-' || options.Host.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            throw new SftpException(SftpError.InvalidOptions, $"'{options.Host}' is no name of a host.");
        if (options.User is { } name && (name.Length == 0 || name[0] == '-' || name.Any(char.IsControl)))
            throw new SftpException(SftpError.InvalidOptions, $"'{name}' is no name of a user.");
        var arguments = new List<string> { "-T" };
        Set(arguments, "BatchMode=yes");
        Set(arguments, "NumberOfPasswordPrompts=0");
        Set(arguments, "StrictHostKeyChecking=yes");
        Set(arguments, Invariant($"ConnectTimeout={Math.Max(1, (int)Math.Ceiling(options.ConnectTimeout.TotalSeconds))}"));
        Set(arguments, Invariant($"ServerAliveInterval={Math.Max(1, (int)(options.StallTimeout.TotalSeconds / AliveCount))}"));
        Set(arguments, Invariant($"ServerAliveCountMax={AliveCount}"));
        // Files only: nothing is forwarded, nothing is run here, and no connection is shared with a person's session.
        foreach (var option in new[] { "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "RemoteCommand=none", "ControlMaster=no", "ControlPath=none", "LogLevel=INFO" })
            Set(arguments, option);
        if (options.KeyFile is { } key)
        {
            // An agent with many keys would use up the server's tries before this one is asked.
            Set(arguments, "IdentitiesOnly=yes");
            arguments.AddRange(["-i", key]);
        }

        if (options.Port is { } port)
            arguments.AddRange(["-p", port.ToString(CultureInfo.InvariantCulture)]);
        if (options.User is { } user)
            arguments.AddRange(["-l", user]);
        arguments.AddRange(options.Arguments);
        arguments.AddRange(["-s", "--", options.Host, "sftp"]);
        return arguments;
    }

    private static void Set(List<string> arguments, string option)
    {
        arguments.Add("-o");
        arguments.Add(option);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
