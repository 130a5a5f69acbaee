using System.Security;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Drills;

/// <summary>Sessions whose key is a copy from elsewhere, and no other.</summary>
public static class KeyCopies
{
    /// <summary>One with <paramref name="passphrase"/>, else with that of DRILL_KEY_FILE; null where there is neither.</summary>
    public static BackupSession? Open(BotBackupConfiguration settings, SecureString? passphrase) =>
        passphrase is not null ? new BackupSession(settings, new SessionOptions { Passphrase = passphrase })
        : settings.DrillKeyFile is { } file ? new BackupSession(settings with { PassphraseFile = file })
        : null;
}
