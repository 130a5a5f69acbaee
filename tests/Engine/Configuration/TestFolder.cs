using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Tests.Configuration;

/// <summary>A folder of one test, removed after it.</summary>
internal sealed class TestFolder : IDisposable
{
    internal static readonly IReadOnlyDictionary<string, string> NoEnvironment = new Dictionary<string, string>(StringComparer.Ordinal);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("config-");

    internal string Path => _folder.FullName;

    internal string EnvFile => System.IO.Path.Combine(Path, ".env");

    internal string Write(string name, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, mode);
        return path;
    }

    internal BotBackupConfiguration Load(string text, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyDictionary<string, string>? overrides = null) =>
        BotBackupConfiguration.Load(Write(".env", text), environment ?? NoEnvironment, overrides);

    internal IReadOnlyList<ConfigurationFinding> Examine(string text) => BotBackupConfiguration.Examine(Write(".env", text), NoEnvironment);

    public void Dispose() => _folder.Delete(recursive: true);
}
