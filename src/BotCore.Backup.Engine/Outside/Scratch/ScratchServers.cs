using System.Reflection;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Outside.Scratch;

/// <summary>Starts scratch servers. Their assembly is loaded at first need, into the default context, so that a session that needs none carries none. Thread-safe.</summary>
public static class ScratchServers
{
    private const string AssemblyFile = "BotCore.Backup.Sandbox.dll";
    private const string ServerType = "BotCore.Backup.Sandbox.SandboxServer";

    private static readonly Lock Gate = new();
    private static Type? _server;

    /// <summary>Starts one on a free loopback port. Throws <see cref="BackupException"/> (AdapterMissing) where the assembly is not installed.</summary>
    public static IScratchServer Start()
    {
        Type server;
        lock (Gate)
            server = _server ??= Load(Path.GetDirectoryName(typeof(ScratchServers).Assembly.Location) ?? AppContext.BaseDirectory);
        return (IScratchServer)Activator.CreateInstance(server)!;
    }

    /// <summary>The server's type, from <paramref name="folder"/> or from <c>sandbox/</c> within it.</summary>
    internal static Type Load(string folder)
    {
        var places = new[] { Path.Combine(folder, AssemblyFile), Path.Combine(folder, "sandbox", AssemblyFile) };
        // Its neighbour must be loaded before: from its own folder the server would not find it.
        _ = typeof(BsonReader).Assembly;
        var path = places.FirstOrDefault(File.Exists) ?? throw Missing($"{AssemblyFile} stands neither in {folder} nor in its folder 'sandbox'.", folder);
        try
        {
            return Assembly.LoadFrom(path).GetType(ServerType, throwOnError: true)!;
        }
        catch (Exception e) when (e is BadImageFormatException or FileLoadException or FileNotFoundException or TypeLoadException)
        {
            throw Missing($"{path} cannot be loaded.", path, e);
        }
    }

    private static BackupException Missing(string message, string target, Exception? cause = null) => new(
        FailureKind.AdapterMissing, "There is no scratch server: " + message, "Install the module whole, with its folder 'sandbox', or name a real scratch server.", target, cause);
}
