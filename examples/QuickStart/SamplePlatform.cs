using System.Globalization;
using System.Security.Cryptography;

namespace BotCore.Backup.Examples.QuickStart;

/// <summary>A small trading platform to lose: settings, nested folders, a link, names with spaces and other scripts, a few MiB.</summary>
internal static class SamplePlatform
{
    /// <summary>What of the platform is backed up, as CONFIG_PATHS has it.</summary>
    public const string ConfigPaths = ".env,docker-compose.yml,config,data";

    public static void Create(string root)
    {
        Write(root, ".env", "EXCHANGE=demo\nAPI_KEY=not-a-real-key\n", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write(root, "docker-compose.yml", "services:\n  bot:\n    image: botcore/bot\n");
        for (var i = 1; i <= 20; i++)
            Write(root, string.Create(CultureInfo.InvariantCulture, $"config/strategies/grid {i:00}.json"), $"{{ \"levels\": {i} }}\n");
        Write(root, "config/strategies/évolution – 進化.json", "{ \"population\": 64 }\n");
        Write(root, "config/empty.lock", "");
        File.CreateSymbolicLink(Path.Combine(root, "config/active.json"), "strategies/grid 07.json");
        Write(root, "data/2025/11/trades.csv", Trades(60_000));
        File.WriteAllBytes(Path.Combine(root, "data/2025/11/model.bin"), RandomNumberGenerator.GetBytes(2 << 20));
    }

    /// <summary>What a bad day does: folders gone, one file cut short, one overwritten.</summary>
    public static string Destroy(string root)
    {
        Directory.Delete(Path.Combine(root, "config"), recursive: true);
        File.Delete(Path.Combine(root, ".env"));
        using (var model = File.OpenWrite(Path.Combine(root, "data/2025/11/model.bin")))
            model.SetLength(1000);
        File.WriteAllText(Path.Combine(root, "data/2025/11/trades.csv"), "encrypted by somebody else\n");
        return "config/ and .env deleted, model.bin cut to 1,000 bytes, trades.csv overwritten";
    }

    private static void Write(string root, string name, string content, UnixFileMode? mode = null)
    {
        var path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (mode is { } bits && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, bits);
    }

    private static string Trades(int count) => string.Join('\n', Enumerable.Range(1, count)
        .Select(i => string.Create(CultureInfo.InvariantCulture, $"{i},2025-11-18T02:{i % 60:00}:{i * 7 % 60:00}Z,BTC-EUR,{80_000 + (i * 37 % 4_000)}.{i % 100:00}")));
}
