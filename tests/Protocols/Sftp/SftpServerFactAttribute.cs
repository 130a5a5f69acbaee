using Xunit;

namespace BotCore.Backup.Protocols.Tests.Sftp;

/// <summary>A fact that talks to OpenSSH's sftp-server over pipes; it is skipped, with the reason, where that is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SftpServerFactAttribute : FactAttribute
{
    public SftpServerFactAttribute()
    {
        if (Program is null)
            Skip = "Needs OpenSSH's sftp-server.";
    }

    public static string? Program { get; } = Array.Find(["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/lib/ssh/sftp-server"], File.Exists);
}
