using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Compression.Native;

/// <summary>
/// Finds the library of a codec. It may be absent, and an assembly has only one import resolver to give away, so what it exports is bound by function pointers.
/// </summary>
internal static class NativeLibraryFile
{
    /// <summary>
    /// Loads the first of <paramref name="fileNames"/> that is there and that <paramref name="bind"/> finds all it needs in; null where none is, or where the environment
    /// variable <paramref name="switchName"/> says <c>off</c>.
    /// </summary>
    public static T? Load<T>(string switchName, string[] fileNames, Func<nint, T> bind)
        where T : class
    {
        if (string.Equals(Environment.GetEnvironmentVariable(switchName), "off", StringComparison.OrdinalIgnoreCase))
            return null;

        foreach (var name in fileNames)
        {
            // Not from the current folder: that is where a stranger could put one.
            if (!NativeLibrary.TryLoad(name, typeof(NativeLibraryFile).Assembly, DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories, out var library))
                continue;

            try
            {
                return bind(library);
            }
            catch (EntryPointNotFoundException)
            {
                NativeLibrary.Free(library);
            }
        }

        return null;
    }

    /// <summary>The names of a library on this system.</summary>
    public static string[] Names(string[] linux, string[] mac, string[] windows)
    {
        if (OperatingSystem.IsWindows())
            return windows;
        // Homebrew's folder is not searched by the loader of macOS.
        return OperatingSystem.IsMacOS() ? [.. mac, .. mac.Select(name => "/opt/homebrew/lib/" + name)] : linux;
    }
}
