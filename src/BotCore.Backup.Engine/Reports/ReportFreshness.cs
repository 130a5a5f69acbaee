using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Reports;

/// <summary>How old the newest good backup of each thing is, store by store; and what has none.</summary>
internal sealed class ReportFreshness(BotBackupConfiguration settings, ReportRequest request, DateTimeOffset now)
{
    private static readonly Component[] Order = [Component.MongoDb, Component.Volume, Component.Config, Component.Model];

    /// <summary>
    /// A check for each thing that has an archive, and of whole stores one for each component that is to be there and is not. The newest of a component that is too old fails; a single volume that is
    /// behind the others is a warning, since it may be one that the platform has no more.
    /// </summary>
    public IReadOnlyList<ReportedCheck> Of(IReadOnlyList<ReportedArchive> archives, IReadOnlyList<string> stores)
    {
        var checks = new List<ReportedCheck>();
        var expected = request.IsWhole ? ConfiguredComponents.Named(settings) : [];
        foreach (var component in Order.Where(component => request.Components.Count == 0 || request.Components.Contains(component)))
        {
            foreach (var store in stores)
            {
                var named = archives.Where(archive => archive.Component == component && archive.Type != BackupType.Snapshot && string.Equals(archive.Store, store, StringComparison.Ordinal))
                    .GroupBy(archive => archive.Name, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
                if (named.Count == 0 && expected.Contains(component) && settings.StoresOf(component).Contains(store, StringComparer.OrdinalIgnoreCase))
                    checks.Add(new ReportedCheck(ReportStatus.Failed, $"{TextReport.Heading(component)} in {store}", "there is none"));
                var newest = named.Select(NewestGood).Max();
                checks.AddRange(named.Select(group => Check(component, group.Key, store, NewestGood(group), newest)));
            }
        }

        return checks;
    }

    private ReportedCheck Check(Component component, string name, string store, DateTimeOffset? at, DateTimeOffset? newest)
    {
        var subject = component is Component.MongoDb or Component.Config ? $"{TextReport.Heading(component)} in {store}" : $"{component} {name} in {store}";
        if (at is not { } taken)
            return new ReportedCheck(ReportStatus.Failed, subject, "none of its backups is known to be good");
        var age = now - taken;
        var text = $"the newest good one is {Age.Text(age)} old";
        // A model is backed up when it changes.
        if (component == Component.Model)
            return new ReportedCheck(ReportStatus.Ok, subject, text + "; a new one is made when it changes");
        return age <= request.MaximumAge ? new ReportedCheck(ReportStatus.Ok, subject, text)
            : new ReportedCheck(at == newest ? ReportStatus.Failed : ReportStatus.Warning, subject, $"{text}, more than {Age.Text(request.MaximumAge)}");
    }

    private DateTimeOffset? NewestGood(IEnumerable<ReportedArchive> archives) =>
        archives.Where(archive => archive.Status is ReportStatus.Ok or ReportStatus.Warning && archive.Taken <= now + ProofHistory.Skew).Max(archive => archive.Taken);
}
