using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>From what the protocol says to what a person can do about it.</summary>
internal static class SftpFailures
{
    public static BackupException Of(SftpPlace place, string key, SftpException wrong) => wrong.Error switch
    {
        SftpError.NoSshProgram => new(
            FailureKind.ToolMissing, $"{wrong.Message} The SFTP store {place.Location} is reached with it.", "Install the package openssh-client (on Windows the optional feature OpenSSH Client).", place.Location, wrong),
        SftpError.InvalidOptions => new(
            FailureKind.ConfigurationInvalid, $"ssh does not take its settings for {place.Location}: {Words(wrong)}", "Correct the SFTP_ settings, or the file of ssh_config that it names.", place.Location, wrong),
        SftpError.HostKeyChanged => new(
            FailureKind.HostKeyChanged,
            $"The host key of {place.KnownAs} is not the one in known_hosts: the server was set up anew, or somebody stands in between. Nothing was sent.",
            $"Compare what '{place.KeyScan} | ssh-keygen -lf -' prints with the fingerprint that the server's admin reads there; only where they agree remove the old key with 'ssh-keygen -R \"{place.KnownAs}\"' and add the new one.",
            place.Location,
            wrong),
        SftpError.HostKeyUnknown => new(
            FailureKind.HostKeyChanged,
            $"The host key of {place.KnownAs} is not known here yet, and unknown keys are not accepted. Nothing was sent.",
            $"Compare what '{place.KeyScan} | ssh-keygen -lf -' prints with the fingerprint that the server's admin reads there, then add it with '{place.KeyScan} >> ~/.ssh/known_hosts' as the user that runs backups.",
            place.Location,
            wrong),
        SftpError.LoginRefused => new(
            FailureKind.LoginFailed,
            $"{place.Location} refused the login: {Words(wrong)}",
            $"Put the public key into ~/.ssh/authorized_keys of that user on the server, make the private key readable for this user alone, and try '{place.Login} -o BatchMode=yes'; passwords are never used.",
            place.Location,
            wrong),
        SftpError.NotOffered or SftpError.Protocol or SftpError.Unsupported => new(
            FailureKind.ServerUnsupported, $"{place.Location} cannot serve as a store: {Words(wrong)}", "Let the server's admin give this user SFTP version 3, as OpenSSH's sftp-server speaks it.", place.Location, wrong),
        SftpError.NoSuchFile => new(
            FailureKind.BackupNotFound, $"There is no '{key}' in {place.Location}.", "List what there is with Get-BotBackup.", key, wrong),
        SftpError.PermissionDenied => new(
            FailureKind.AccessDenied, $"The server refused access to '{key}' in {place.Location}.", "Give the user of the store the folder there, or correct SFTP_DIR.", key, wrong),
        SftpError.NoSpace => Full(place, key, wrong),
        SftpError.Unreachable => new(
            FailureKind.StoreUnreachable, $"{place.Location} does not answer: {Words(wrong)}", $"Check SFTP_HOST and SFTP_PORT, the network and the server's sshd; '{place.Login}' shows the same failure.", place.Location, wrong),
        SftpError.ConnectionLost or SftpError.TimedOut => new(
            FailureKind.StoreUnreachable, $"The connection to {place.Location} was lost at '{key}': {Words(wrong)}", "Check the network and the server, and run again.", place.Location, wrong),
        _ => new(
            FailureKind.StoreUnreachable, $"{place.Location} failed at '{key}': {wrong.Message}", "Look at the server's disk and at its log, and run again.", place.Location, wrong),
    };

    /// <summary>A failure of what writes: the protocol has one code for a full disk, a read-only one and a broken one, so the file system is asked.</summary>
    public static BackupException OfWrite(SftpPlace place, string key, SftpException wrong, SftpFileSystem? disk)
    {
        if (wrong.Error != SftpError.Failed)
            return Of(place, key, wrong);
        if (disk is null)
            return new(FailureKind.StoreFull, $"{place.Location} took no more of '{key}' and did not say why: {wrong.Message} Mostly its disk or a quota is full.", FullAdvice, place.Location, wrong);
        if (disk.IsReadOnly)
            return new(FailureKind.AccessDenied, $"The disk of {place.Location} is read-only; '{key}' was not kept.", "Mount it for writing there and run again.", place.Location, wrong);
        if (disk.FreeBytes < AsGoodAsFull || (disk is { Files: > 0, FreeFiles: 0 }))
            return Full(place, key, wrong);
        return new(
            FailureKind.StoreFull,
            $"{place.Location} took no more of '{key}' though its disk has room: mostly a quota is full, else the disk is failing.",
            "Look at the user's quota, at the disk and at the server's log, and run again.",
            place.Location,
            wrong);
    }

    private const long AsGoodAsFull = 1 << 20;
    private const string FullAdvice = "Free space there, or point SFTP_DIR at a larger disk, and run again.";

    private static BackupException Full(SftpPlace place, string key, SftpException wrong) =>
        new(FailureKind.StoreFull, $"The disk of {place.Location} is full; '{key}' was not kept.", FullAdvice, place.Location, wrong);

    private static string Words(SftpException wrong)
    {
        var words = wrong.Words.Length > 0 ? wrong.Words : wrong.Message;
        return words.EndsWith('.') ? words : words + ".";
    }
}
