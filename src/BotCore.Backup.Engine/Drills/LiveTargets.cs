using System.Net;
using System.Net.Sockets;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Drills;

/// <summary>Sees to it that a drill writes into nothing that is in use.</summary>
internal static class LiveTargets
{
    /// <summary>Throws LiveTargetRefused where <paramref name="server"/> is, or may be, that of DATABASE_URL: by name, or by an address that both names have.</summary>
    public static void Demand(BotBackupConfiguration settings, SecretUri server)
    {
        if (settings.DatabaseUrl is not { } live)
            return;
        var (drill, own) = (MongoTarget.Of(server), MongoTarget.Of(live));
        var ours = own.Hosts.SelectMany(Addresses).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (drill.Hosts.SelectMany(Addresses).Any(ours.Contains))
        {
            throw new BackupException(
                FailureKind.LiveTargetRefused, $"{drill.Name} is the server of DATABASE_URL, and a drill must not touch what is in use.", "Name a server of its own, or none: then the Sandbox is taken.", drill.Name);
        }
    }

    /// <summary>Throws LiveTargetRefused where <paramref name="folder"/> lies in something that is backed up.</summary>
    public static void Demand(BotBackupConfiguration settings, string folder)
    {
        var scratch = Whole(folder);
        foreach (var live in settings.Directories.Select(directory => directory.Path).Concat(settings.ConfigPaths).Concat(settings.ModelPaths).Select(Whole))
        {
            if (scratch.StartsWith(live, StringComparison.Ordinal))
                throw new BackupException(FailureKind.LiveTargetRefused, $"{folder} lies in {live}, which is in use, and a drill must not touch that.", "Give -Destination a folder of its own.", folder);
        }
    }

    private static string Whole(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar;

    private static IEnumerable<string> Addresses((string Host, int Port) place)
    {
        yield return $"{place.Host}:{place.Port}";
        IPAddress[] addresses;
        try
        {
            addresses = Dns.GetHostAddresses(place.Host);
        }
        catch (SocketException)
        {
            // A name that nobody knows here is no server either.
            yield break;
        }

        foreach (var address in addresses)
            yield return $"{(IPAddress.IsLoopback(address) ? "loopback" : address.ToString())}:{place.Port}";
    }
}
