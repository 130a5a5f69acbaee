using BotCore.Backup.Engine.Compression.Bzip2;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Engine.Outside.Adapters;

/// <summary>Loads what stands on third-party packages, at first need and into a context of its own, so that a session that needs none carries none. Thread-safe.</summary>
public static class AdapterLoader
{
    private const string AssemblyFile = "BotCore.Backup.Adapters.dll";
    private const string Folder = "adapters";
    private const string S3Factory = "BotCore.Backup.Adapters.AmazonS3.S3StoreFactory";
    private const string Bzip2Library = "BotCore.Backup.Adapters.SharpZipLib.SharpZipBzip2";
    private const string MailTransport = "BotCore.Backup.Adapters.MailKit.MailKitTransport";

    private static readonly Lock Gate = new();
    private static AdapterContext? _context;

    /// <summary>Opens stores in Amazon S3. Throws <see cref="BackupException"/> (AdapterMissing) where the adapters are not installed.</summary>
    public static IS3StoreFactory S3() => Make<IS3StoreFactory>(S3Factory);

    /// <summary>Hands letters to mail servers. Throws <see cref="BackupException"/> (AdapterMissing) where the adapters are not installed.</summary>
    public static IMailCarrier Mail() => Make<IMailCarrier>(MailTransport);

    /// <summary>bzip2 without libbz2. Throws <see cref="BackupException"/> (AdapterMissing) where the adapters are not installed.</summary>
    public static IBzip2Library Bzip2() => Make<IBzip2Library>(Bzip2Library);

    /// <summary>The same, or null where the adapters are not installed.</summary>
    internal static IBzip2Library? Bzip2OrNone()
    {
        try
        {
            return Bzip2();
        }
        catch (BackupException missing) when (missing.Failure.Kind == FailureKind.AdapterMissing)
        {
            return null;
        }
    }

    private static T Make<T>(string type)
    {
        AdapterContext context;
        lock (Gate)
            context = _context ??= Load(Path.GetDirectoryName(typeof(AdapterLoader).Assembly.Location) ?? AppContext.BaseDirectory);
        return Make<T>(context, type);
    }

    internal static T Make<T>(AdapterContext context, string type)
    {
        try
        {
            return (T)Activator.CreateInstance(context.Adapters.GetType(type, throwOnError: true)!)!;
        }
        catch (Exception e) when (e is BadImageFormatException or IOException or TypeLoadException or MissingMethodException or System.Reflection.TargetInvocationException or InvalidCastException)
        {
            throw Missing($"{context.Adapters.Location} does not fit this Engine.", context.Adapters.Location, e);
        }
    }

    /// <summary>Loads the adapters from <paramref name="folder"/> or from <c>adapters/</c> within it.</summary>
    internal static AdapterContext Load(string folder)
    {
        string[] places = [Path.Combine(folder, Folder, AssemblyFile), Path.Combine(folder, AssemblyFile)];
        var path = places.FirstOrDefault(File.Exists) ?? throw Missing($"{AssemblyFile} stands neither in {folder} nor in its folder '{Folder}'.", folder);
        try
        {
            return new AdapterContext(path);
        }
        catch (Exception e) when (e is BadImageFormatException or IOException or InvalidOperationException)
        {
            throw Missing($"{path} cannot be loaded.", path, e);
        }
    }

    private static BackupException Missing(string message, string target, Exception? cause = null) => new(
        FailureKind.AdapterMissing, "What stands on third-party packages (S3, mail servers, bzip2 without libbz2) cannot be used: " + message, "Install the module whole, with its folder 'adapters'.", target, cause);
}
