using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>What a budget is spent on.</summary>
public sealed record BudgetRequest
{
    /// <summary>The time.</summary>
    public required TimeSpan Budget { get; init; }

    /// <summary>How deep, and where to.</summary>
    public VerificationOptions Options { get; init; } = new();

    /// <summary>The backups; null takes all of <see cref="Stores"/> and <see cref="Components"/>.</summary>
    public IReadOnlyList<BotBackup>? Backups { get; init; }

    /// <summary>Stores; the local one where none is named.</summary>
    public IReadOnlyList<IStore> Stores { get; init; } = [];

    /// <summary>Components; all where none is named.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];
}

/// <summary>
/// Tests for a given time what waits longest, or matters most, and says by when every byte will have been read. Each test becomes a <see cref="Made"/> with its BotBackupVerification, and the last of all is a
/// <see cref="BotBackupBudget"/>.
/// </summary>
public static class BudgetRunner
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Spends the budget.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, BudgetRequest request, CancellationToken token) => Run(session, request, VerificationRunner.Prove, token);

    internal static IAsyncEnumerable<BackupEvent> Run(
        BackupSession session, BudgetRequest request, Func<BackupSession, BotBackup, VerificationOptions, Action<BackupEvent>, Action<long>, CancellationToken, BotBackupVerification> prove, CancellationToken token) =>
        EventRun.Start("budget", (tell, stop) =>
        {
            var clock = session.Clock;
            var (began, start) = (clock.GetUtcNow(), clock.GetTimestamp());
            var failures = 0;
            var backups = request.Backups ?? List(session, request, failed => { failures++; tell(failed); }, stop);
            var depth = request.Options.Depth;
            var past = BudgetPast.Read(backups, depth, stop);
            session.Ledger.Budget = new ProofBudget(session.Ledger.RunId, began, request.Budget.TotalSeconds, past.LastBegan);
            var wanted = BudgetDemand.MarkOf(request.Options, depth);
            var matters = BudgetDemand.WhatMatters(backups);
            var queue = new BudgetQueue(backups.Select(backup => new BudgetCandidate(backup, BudgetDemand.LastLook(backup, wanted), matters.Contains(backup))), request.Budget, past.Pace);
            var results = new List<BotBackupVerification>();
            while (queue.Next(clock.GetElapsedTime(start)) is { } turn)
            {
                stop.ThrowIfCancellationRequested();
                Announce(turn, request.Budget, past.Pace, tell);
                var from = clock.GetTimestamp();
                var result = VerificationRunner.Test(session, turn.Backup, request.Options, prove, tell, stop);
                var took = clock.GetElapsedTime(from);
                queue.Spent(turn, took);
                past.Pace.Learn(turn.Backup.Size, took);
                results.Add(result);
                tell(new Made(result));
            }

            var promise = Promise(request, backups, queue, past, results, clock.GetElapsedTime(start), began);
            // What lost its manifest, or cannot be reached, is not tested and not good.
            if (failures > 0)
                promise = promise with { Outcome = Outcome.Failed };
            tell(promise.By is null && results.Count > 0 ? new Warned(promise.Message) : new Said(promise.Message));
            tell(new Made(promise));
        }, token);

    private static List<BotBackup> List(BackupSession session, BudgetRequest request, Action<Failed> failed, CancellationToken token)
    {
        var found = new List<BotBackup>();
        foreach (var store in request.Stores.Count > 0 ? request.Stores : [session.Local])
        {
            try
            {
                foreach (var happened in BackupCatalog.List(store, "", token, session.Clock))
                {
                    if (happened is Failed wrong)
                        failed(wrong);
                    else if (happened is Made { Item: BotBackup backup } && (request.Components.Count == 0 || request.Components.Contains(backup.Component)))
                        found.Add(backup);
                }
            }
            catch (BackupException away)
            {
                failed(new Failed(away.Failure) { IsOfOneStore = true });
            }
        }

        return found;
    }

    private static void Announce(BudgetCandidate turn, TimeSpan budget, BudgetPace pace, Action<BackupEvent> tell)
    {
        if (pace.Estimate(turn.Backup.Size) > budget)
            tell(new Warned($"{turn.Backup.Key} ({turn.Backup.Size}) may take longer than the budget of {BudgetText.Of(budget)}. It has waited longest, so it is read to its end now, whatever that takes: in parts it would never be."));
    }

    private static BotBackupBudget Promise(BudgetRequest request, IReadOnlyList<BotBackup> backups, BudgetQueue queue, BudgetPast past, List<BotBackupVerification> results, TimeSpan spent, DateTimeOffset began)
    {
        var never = queue.Waiting.Where(one => one.LastLook is null).ToList();
        var left = never.Count > 0 ? never : queue.Waiting;
        var runs = queue.RunsFor(left);
        // The longer of the last two: somebody who tries it twice at a prompt is no schedule.
        var interval = past.LastBegan is { } last && last < began ? Longer(began - last, past.BeforeLast is { } before ? last - before : TimeSpan.Zero) : Day;
        var canPromise = results.Count > 0 && results.TrueForAll(result => result.Recorded);
        var budget = new BotBackupBudget
        {
            Outcome = results.Count == 0 ? Outcome.Unknown : results.Exists(one => one.Outcome == Outcome.Failed) ? Outcome.Failed : results.TrueForAll(one => one.Outcome == Outcome.Succeeded) ? Outcome.Succeeded : Outcome.Unknown,
            Depth = request.Options.Depth,
            Budget = request.Budget,
            Spent = spent,
            Tested = results.Count,
            Failed = results.Count(one => one.Outcome != Outcome.Succeeded),
            Total = backups.Count,
            Read = results.Sum(one => one.Read.Bytes),
            TotalSize = backups.Sum(one => one.Size.Bytes),
            Rate = past.Pace.Rate,
            Left = left.Count,
            LeftSize = left.Sum(one => one.Backup.Size.Bytes),
            IsFirstRound = never.Count > 0,
            RunsLeft = runs,
            Interval = interval,
            By = !canPromise ? null : runs == 0 ? began + spent : Later(began, (interval * runs) + request.Budget),
            Message = "",
        };
        return budget with { Message = BudgetText.Of(budget, results.Exists(result => !result.Recorded)) };
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static DateTimeOffset Later(DateTimeOffset from, TimeSpan by) => by < DateTimeOffset.MaxValue - from ? from + by : DateTimeOffset.MaxValue;
}
