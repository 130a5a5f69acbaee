using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Journal;

/// <summary>Results and runs in a sentence each, for logs and notices.</summary>
internal static class RunText
{
    public static string Of(RunResult result)
    {
        var text = new StringBuilder();
        text.Append(result.Component == Component.Unknown ? result.Name.Length > 0 ? result.Name : "What was named" : $"{result.Component} {result.Name}".TrimEnd());
        if (result.Type is BackupType.Incremental or BackupType.Snapshot)
            text.Append(" (").Append(result.Type.ToString().ToLowerInvariant()).Append(')');
        if (result.Store.Length > 0)
            text.Append(" in ").Append(result.Store);
        text.Append(": ").Append(result.Outcome);
        if (result.Reason.Length > 0)
            text.Append(", ").Append(result.Reason);
        if (result.Failure is { } failure)
            text.Append(" (").Append(failure.Kind).Append(')');
        if (result.Outcome == Outcome.Succeeded && result.Size.Bytes > 0)
            text.Append(", ").Append(result.Size.ToString());
        if (result.Freed.Bytes > 0)
            text.Append(", ").Append(result.Freed.ToString()).Append(" given back");
        if (result.Depth != Verification.Depth.Unknown)
            text.Append(", at the depth ").Append(result.Depth);
        if (result.Duration > TimeSpan.Zero)
            text.Append(CultureInfo.InvariantCulture, $", {result.Duration.TotalSeconds:0.0} s");
        if (result.Location.Length > 0)
            text.Append(", ").Append(result.Location);
        return text.Append('.').ToString();
    }

    public static string Summary(BotBackupRun run)
    {
        var good = run.Results.Count(result => result.IsGood);
        var end = run.Interrupted ? "was stopped" : run.Outcome switch
        {
            Outcome.Succeeded => "ended well",
            Outcome.Skipped => "ended well, with nothing to do,",
            Outcome.Failed => "FAILED",
            _ => "ended without a result",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Command} {end} after {run.Duration.TotalSeconds:0.0} s: {good} of {run.Results.Count} good, {Count(run.Failures.Count, "failure")}, {Count(run.Warnings.Count, "warning")}.");
    }

    private static string Count(int number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");
}
