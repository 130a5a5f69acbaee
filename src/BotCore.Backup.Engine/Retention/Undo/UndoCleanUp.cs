using System.Buffers;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Retention.Undo;

/// <summary>
/// Drops what restores kept in the database for an undo, once it is as old as the policy lets snapshots become. What does not say when it was kept stays, and what somebody is at work on.
/// </summary>
public static class UndoCleanUp
{
    private const int IdLength = 8;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>A decision for each restore that left something in the server of DATABASE_URL; none where that is not set. Throws <see cref="BackupException"/> where the server cannot be asked.</summary>
    public static IReadOnlyList<BotUndoRetention> Decide(BackupSession session, RetentionPolicy policy, DateTimeOffset? asOf, CancellationToken token)
    {
        if (session.Configuration.DatabaseUrl is null)
            return [];
        var now = asOf ?? session.Clock.GetUtcNow();
        var target = MongoTarget.Of(session.Configuration).WithoutDatabase();
        return target.Guard("looking for what restores kept", () =>
        {
            using var client = target.Connect(requirePrimary: false, token);
            return Find(client, token).Select(found => Decide(found, target.Name, policy, now)).ToList();
        });
    }

    /// <summary>The steps of what expires.</summary>
    public static IReadOnlyList<UndoExpiryStep> Plan(IEnumerable<BotUndoRetention> decisions) =>
        [.. decisions.Where(decision => decision.Verdict == RetentionVerdict.Expire).Select(decision => new UndoExpiryStep(decision))];

    /// <summary>What is to be said of them before they go, in full sentences.</summary>
    public static IEnumerable<string> Announcements(IEnumerable<BotUndoRetention> decisions) =>
        decisions.Where(decision => decision.GoesSoon).Select(decision => $"Restore {decision.Id} of {string.Join(", ", decision.Databases)} can be undone for less than a day more; then the {decision.Collections} collections that it kept are dropped.");

    /// <summary>Drops what <paramref name="approved"/> names. Each becomes a <see cref="Made"/> with its <see cref="BotUndoRetention"/>, or a <see cref="Failed"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<UndoExpiryStep> approved, CancellationToken token) =>
        EventRun.Start("undo clean-up", (tell, stop) =>
        {
            var target = MongoTarget.Of(session.Configuration).WithoutDatabase();
            foreach (var step in approved)
            {
                stop.ThrowIfCancellationRequested();
                try
                {
                    target.Guard("dropping what a restore kept", () =>
                    {
                        using var client = target.Connect(requirePrimary: true, CancellationToken.None);
                        Drop(client, step.Decision);
                    });
                    tell(new Made(step.Decision with { Outcome = Outcome.Succeeded }));
                }
                catch (BackupException wrong)
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    private static BotUndoRetention Decide(Kept kept, string server, RetentionPolicy policy, DateTimeOffset now)
    {
        var decision = new BotUndoRetention
        {
            Id = kept.Id,
            Server = server,
            Databases = [.. kept.Collections.Select(name => name.Database).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Collections = kept.Collections.Count(name => !IsJournal(name, kept.Id)),
            Restored = kept.At,
            Verdict = RetentionVerdict.Keep,
            Reason = "nothing says when they were kept",
        };
        if (kept.At is not { } at)
            return decision;
        var age = Age.Text(now - at);
        var goes = policy.DayOf(at).AddDays(policy.Snapshots + 1);
        return policy.DayOf(now) >= goes
            ? decision with { Verdict = RetentionVerdict.Expire, Reason = $"kept {age} ago, and they stay {RetentionDecider.Days(policy.Snapshots)}" }
            : decision with { Reason = $"kept {age} ago; they stay {RetentionDecider.Days(policy.Snapshots)}", GoesSoon = policy.DayOf(now.AddDays(1)) >= goes };
    }

    private static List<Kept> Find(MongoClient client, CancellationToken token)
    {
        var catalog = new ServerCatalog(client, token);
        var journal = new UndoJournal(client, token);
        var prefix = StagingNames.Undo("");
        return
        [
            .. catalog.Databases(new DumpSelection(Database: null)).SelectMany(database => catalog.All(database).Keys)
                .Where(name => name.Collection.StartsWith(prefix, StringComparison.Ordinal) && IdOf(name, prefix) is not null)
                .GroupBy(name => IdOf(name, prefix)!, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new Kept(group.Key, group.Where(name => IsJournal(name, group.Key)).Select(name => journal.TimeOf(group.Key, name.Database)).Max(), [.. group])),
        ];
    }

    private static void Drop(MongoClient client, BotUndoRetention decision)
    {
        RestoreLeftovers.DemandNobody(client, decision.Id);
        var maker = new CollectionMaker(client, CancellationToken.None);
        // The journals last: while one stands, what is left is found again.
        var names = Find(client, CancellationToken.None).Find(kept => string.Equals(kept.Id, decision.Id, StringComparison.Ordinal))?.Collections ?? [];
        foreach (var name in names.OrderBy(name => IsJournal(name, decision.Id)))
            maker.Drop(name);
        if (Find(client, CancellationToken.None).Exists(kept => string.Equals(kept.Id, decision.Id, StringComparison.Ordinal)))
            throw new BackupException(FailureKind.SourceUnreachable, $"{decision.Server} still has collections of restore {decision.Id} after they were dropped.", "Look at that server.", decision.Id);
    }

    // __bot_undo_1234abcd and __bot_undo_1234abcd.name, and nothing that somebody else may have called so.
    private static string? IdOf(DumpNamespace name, string prefix)
    {
        var rest = name.Collection.AsSpan(prefix.Length);
        return rest.Length >= IdLength && (rest.Length == IdLength || rest[IdLength] == '.') && !rest[..IdLength].ContainsAnyExcept(Digits) ? rest[..IdLength].ToString() : null;
    }

    private static bool IsJournal(DumpNamespace name, string id) => string.Equals(name.Collection, StagingNames.Undo(id), StringComparison.Ordinal);

    private sealed record Kept(string Id, DateTimeOffset? At, IReadOnlyList<DumpNamespace> Collections);
}
