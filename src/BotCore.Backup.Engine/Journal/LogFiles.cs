using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Journal;

/// <summary>Which file under LOG_DIR a run writes to, as the platform's guide names them, and what becomes of old ones. Dates are UTC.</summary>
internal static partial class LogFiles
{
    /// <summary>Days after which a log is compressed.</summary>
    public const int DaysOpen = 7;

    /// <summary>Days after which it is removed.</summary>
    public const int DaysKept = 90;

    private const long MostOfCron = 1 << 20;

    /// <summary>The file of a run; one of several components has one of its own.</summary>
    public static string Of(RunKind kind, IReadOnlyList<Component> components, DateTimeOffset started) => kind switch
    {
        RunKind.Backup => Daily(components is [var only] ? OfComponent(only) : "backup-all", started),
        RunKind.Restore => string.Create(CultureInfo.InvariantCulture, $"restore-{started.UtcDateTime:yyyyMMdd_HHmmss}.log"),
        RunKind.Verification => Daily("verify", started),
        RunKind.Copy => Daily("cloud-upload", started),
        RunKind.CleanUp => Daily("cleanup", started),
        RunKind.Health => Daily("health-check", started),
        RunKind.Drill => Daily("dr-drill", started),
        _ => Daily("report", started),
    };

    /// <summary>The file that a component's results are in, whatever else they are in.</summary>
    public static string Of(Component component, DateTimeOffset started) => Daily(OfComponent(component), started);

    /// <summary>The same as JSON, one object a line, for all runs of a day.</summary>
    public static string Events(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"events-{time.UtcDateTime:yyyyMMdd}.jsonl");

    /// <summary>Compresses and removes logs that are old by the date in their name, ours only. What cannot be touched now is left for the next day.</summary>
    public static void Tidy(string folder, DateTimeOffset now)
    {
        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).ToList())
        {
            var name = Path.GetFileName(path);
            try
            {
                if (CronLog().IsMatch(name) && new FileInfo(path).Length > MostOfCron)
                {
                    var dated = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(name)}-{now.UtcDateTime:yyyyMMdd}.log"));
                    if (!File.Exists(dated))
                        File.Move(path, dated);
                    continue;
                }

                if (DateOf(name) is not { } date)
                    continue;
                if (date < now.UtcDateTime.Date.AddDays(-DaysKept))
                    File.Delete(path);
                else if (date < now.UtcDateTime.Date.AddDays(-DaysOpen) && !name.EndsWith(".gz", StringComparison.Ordinal))
                    Compress(path);
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
            {
                // Somebody reads or compresses it now, or it is somebody else's.
            }
        }
    }

    private static void Compress(string path)
    {
        var temporary = path + ".gz.tmp";
        using (var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            using var target = new FileStream(temporary, PrivateFiles.Options(FileMode.Create, FileAccess.Write));
            using var gzip = new GZipStream(target, CompressionLevel.Optimal);
            source.CopyTo(gzip);
        }

        File.Move(temporary, path + ".gz", overwrite: true);
        File.Delete(path);
    }

    // A month's reports are as old as the month's last day.
    private static DateTime? DateOf(string name)
    {
        if (OurLog().Match(name) is not { Success: true } match)
            return null;
        var digits = match.Groups["date"].Value;
        if (digits.Length == 6)
        {
            return DateTime.TryParseExact(digits, "yyyyMM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month) ? month.AddMonths(1).AddDays(-1) : null;
        }

        return DateTime.TryParseExact(digits, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
    }

    private static string Daily(string stem, DateTimeOffset started) => string.Create(CultureInfo.InvariantCulture, $"{stem}-{started.UtcDateTime:yyyyMMdd}.log");

    private static string OfComponent(Component component) => component switch
    {
        Component.MongoDb => "mongodb-backup",
        Component.Volume => "volumes-backup",
        Component.Model => "models-backup",
        _ => "config-backup",
    };

    [GeneratedRegex(@"^(?:(?:mongodb-backup|volumes-backup|models-backup|config-backup|backup-all|verify|cloud-upload|cleanup|health-check|dr-drill|report|events|cron-[a-z-]+)-(?<date>[0-9]{8})|restore-(?<date>[0-9]{8})_[0-9]{6}|daily-reports-(?<date>[0-9]{6}))\.(?:log|jsonl)(?:\.gz)?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex OurLog();

    [GeneratedRegex("^cron-[a-z-]+\\.log$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex CronLog();
}
