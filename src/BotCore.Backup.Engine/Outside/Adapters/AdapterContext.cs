using System.Reflection;
using System.Runtime.Loader;

namespace BotCore.Backup.Engine.Outside.Adapters;

/// <summary>
/// Where third-party assemblies live, so that another module's copies of them in the same session cannot clash with ours. What is ours is shared with the default context: a second copy of an interface would be another
/// interface. Not collectible: an adapter stays for the session.
/// </summary>
internal sealed class AdapterContext : AssemblyLoadContext
{
    private const string Ours = "BotCore.Backup.";

    private readonly AssemblyDependencyResolver _resolver;

    public AdapterContext(string assembly)
        : base("BotCore.Backup.Adapters", isCollectible: false)
    {
        _resolver = new AssemblyDependencyResolver(assembly);
        Adapters = LoadFromAssemblyPath(assembly);
    }

    /// <summary>The assembly that everything begins with.</summary>
    public Assembly Adapters { get; }

    // Null means: ask the default context.
    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name?.StartsWith(Ours, StringComparison.Ordinal) != true && _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : nint.Zero;
}
