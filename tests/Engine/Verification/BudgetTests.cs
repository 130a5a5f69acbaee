using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Engine.Verification.Budgets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Outcome = BotCore.Backup.Engine.Events.Outcome;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>What a budget is spent on, over runs and days of a clock that a test moves.</summary>
public sealed class BudgetTests
{
    private static readonly TimeSpan Seconds10 = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    // A tenth of a second for each, and a second for every 100,000 bytes.
    private static TimeSpan Cost(long bytes) => TimeSpan.FromSeconds(0.1 + (bytes / 1e5));

    [Fact]
    public void Ten_seconds_a_day_reach_each_of_200_archives_and_every_promised_date_holds()
    {
        var clock = new HandClock();
        using var place = new Workplace(encrypted: false, clock);
        // Two that no budget is long enough for, one that needs most of it, and many that need a little.
        for (var n = 0; n < 200; n++)
            Put(place, n, n switch { 20 => 3_000_000, 120 => 1_500_000, 70 => 800_000, _ => 20_000 + (n * 37 % 20 * 1000) });
        var tested = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var promises = new List<(DateTimeOffset Began, DateTimeOffset By, bool First, List<string> Left)>();

        var interval = TimeSpan.FromHours(20);
        for (var run = 0; run < 25; run++)
        {
            var began = clock.GetUtcNow();
            using var session = place.NewSession(clock: clock);
            var events = Spend(session, clock, Seconds10, backup => tested[backup.Key] = clock.GetUtcNow());
            var done = events.OfType<Made>().Select(made => made.Item).OfType<BotBackupBudget>().Single();
            Assert.Equal(events.OfType<Made>().Count() - 1, done.Tested);
            Assert.InRange(done.Tested, 1, 200);
            var left = Keys(place).Where(key => done.IsFirstRound ? !tested.ContainsKey(key) : tested.GetValueOrDefault(key) < began).ToList();
            Assert.Equal(left.Count, done.Left);
            Assert.Equal(run == 0 ? Day : interval, done.Interval);
            promises.Add((began, done.By!.Value, done.IsFirstRound, left));
            clock.Advance(began + interval - clock.GetUtcNow());
            foreach (var due in promises.Where(promise => promise.By <= clock.GetUtcNow()))
                Assert.All(due.Left, key => Assert.True(tested.TryGetValue(key, out var when) && (due.First || when >= due.Began), $"{key} was promised by {due.By:u}"));
        }

        Assert.Equal(200, tested.Count);
        // It is a promise that can be broken: it came due, several times, and was not made for ever later.
        Assert.True(promises.Count(promise => promise.By <= clock.GetUtcNow() && promise.Left.Count > 0) > 5);
        Assert.Contains(promises, promise => !promise.First);
        Assert.True(promises[0].By < promises[0].Began + (Day * 20), $"The first promise was far too late: {promises[0].By - promises[0].Began}.");
    }

    [Fact]
    public void Whatever_their_sizes_all_have_their_turn_within_the_runs_that_were_said() => Prop.ForAll<int[], byte>((numbers, budget) =>
    {
        var backups = numbers.Select((number, n) => Made(n, 1000 + (Math.Abs((long)number) * 9973 % 2_000_000))).ToList();
        var time = TimeSpan.FromSeconds(1 + (budget % 30));
        var looks = backups.ToDictionary(backup => backup.Key, _ => (DateTimeOffset?)null, StringComparer.Ordinal);
        var (pace, now) = (new BudgetPace(), new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
        foreach (var backup in backups)
            pace.Recall(backup.Size, Cost(backup.Size));
        var said = new BudgetQueue(Candidates(), time, pace).RunsFor(Candidates());
        var runs = 0;
        for (; looks.ContainsValue(null) && runs <= said; runs++)
            RunOnce(time, pace, Candidates(), looks, now = now.AddDays(1));
        Assert.DoesNotContain(looks, look => look.Value is null);
        return runs <= said;

        List<BudgetCandidate> Candidates() => [.. backups.Select(backup => new BudgetCandidate(backup, looks[backup.Key], Matters: false))];
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    // Every day brings a backup that matters more than all before it.
    [Theory]
    [InlineData(300_000)]
    [InlineData(900_000)]
    [InlineData(5_000_000)]
    public void What_matters_goes_first_and_keeps_nobody_waiting_for_ever(int newest)
    {
        var looks = new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal);
        var backups = Enumerable.Range(0, 12).Select(n => Made(n, n == 5 ? 4_000_000 : 250_000)).ToList();
        var old = backups.ToList();
        var (pace, now) = (new BudgetPace(), new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
        pace.Recall(1000, Cost(1000));
        pace.Recall(5_000_000, Cost(5_000_000));
        var first = 0;
        for (var day = 0; day < 40; day++)
        {
            now = now.AddDays(1);
            backups.Add(Made(1000 + day, newest));
            var order = RunOnce(Seconds10, pace, [.. backups.Select(one => new BudgetCandidate(one, looks.GetValueOrDefault(one.Key), ReferenceEquals(one, backups[^1])))], looks, now);
            if (string.Equals(order[0], backups[^1].Key, StringComparison.Ordinal))
                first++;
        }

        Assert.All(old, backup => Assert.True(looks.ContainsKey(backup.Key), $"{backup.Key} ({backup.Size}) never had its turn."));
        Assert.True(newest > 500_000 || first > 30, $"The newest was first on {first} of 40 days.");
    }

    [Fact]
    public void The_newest_good_one_of_each_thing_and_what_it_stands_on_matter()
    {
        using var place = new Workplace(encrypted: false);
        var old = Put(place, 1, 1000);
        var good = Put(place, 2, 1000);
        var damaged = Put(place, 3, 1000);
        File.WriteAllText(place.Local.Locate(new ProofName(DateTimeOffset.UtcNow, 1, ProofMark.Archive, FailureKind.ArchiveCorrupt, ProofName.SealOf(null, 1000)).KeyOf(damaged)), "");
        var listed = BackupCatalog.List(place.Local, Workplace.None).OfType<Made>().Select(made => (BotBackup)made.Item).ToList();
        Assert.Equal(good, Assert.Single(BudgetDemand.WhatMatters(listed)).Key);
        Assert.Contains(old, listed.Select(one => one.Key), StringComparer.Ordinal);
    }

    [Fact]
    public void Who_cannot_be_opened_has_a_turn_and_no_more_and_nothing_is_said_of_it()
    {
        var clock = new HandClock();
        using var place = new Workplace(encrypted: false, clock);
        for (var n = 0; n < 3; n++)
            Put(place, n, 900_000);
        var turns = new List<string>();
        for (var run = 0; run < 3; run++)
        {
            using var session = place.NewSession(clock: clock);
            Spend(session, clock, Seconds10, backup => turns.Add(backup.Key), FailureKind.WrongPassphrase);
            clock.Advance(Day);
        }

        Assert.Equal(3, turns.Distinct(StringComparer.Ordinal).Count());
        Assert.All(BackupCatalog.List(place.Local, "", Workplace.None, clock).OfType<Made>(), made => Assert.Equal("Unproven", ((BotBackup)made.Item).Proof.ToString()));
    }

    [Fact]
    public void Without_records_there_is_no_date()
    {
        var clock = new HandClock();
        using var place = new Workplace(encrypted: false, clock);
        var gone = Made(1, 1000) with { Source = place.Local };
        var events = Spend(place.Session, clock, Seconds10, _ => { }, backups: [gone]);
        Assert.Null(events.OfType<Made>().Select(made => made.Item).OfType<BotBackupBudget>().Single().By);
        Assert.Contains("could be recorded", Assert.Single(events.OfType<Warned>()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_store_is_no_success()
    {
        using var place = new Workplace(encrypted: false);
        var done = (BotBackupBudget)Assert.Single(Spend(place.Session, new HandClock(), Seconds10, _ => { }).OfType<Made>()).Item;
        Assert.Equal((Outcome.Unknown, null), (done.Outcome, done.By));
    }

    [Theory]
    [InlineData("30min", 1800)]
    [InlineData("10s", 10)]
    [InlineData("2h", 7200)]
    [InlineData(" 1.5 H ", 5400)]
    [InlineData("90m", 5400)]
    [InlineData("1d", 86400)]
    [InlineData("00:30:00", 1800)]
    [InlineData("30", null)]
    [InlineData("", null)]
    [InlineData("min", null)]
    [InlineData("0s", null)]
    [InlineData("-5min", null)]
    [InlineData("1e9h", null)]
    [InlineData("99999999d", null)]
    [InlineData("5 parsecs", null)]
    [InlineData("1.2.3s", null)]
    public void A_budget_has_a_unit(string text, int? seconds)
    {
        Assert.Equal(seconds is not null, BudgetText.TryParse(text, out var budget));
        if (seconds is { } expected)
            Assert.Equal(TimeSpan.FromSeconds(expected), budget);
    }

    [Fact]
    public void Nonsense_is_no_budget_and_no_exception() => Prop.ForAll<string?, int>((text, number) =>
    {
        _ = BudgetText.TryParse(text ?? "", out _);
        _ = BudgetText.TryParse($"{number}{text}", out _);
    }).QuickCheckThrowOnFailure();

    // Whoever has a turn is read in the time that its size asks for; the order is given back.
    private static List<string> RunOnce(TimeSpan budget, BudgetPace pace, List<BudgetCandidate> candidates, Dictionary<string, DateTimeOffset?> looks, DateTimeOffset now)
    {
        var queue = new BudgetQueue(candidates, budget, pace);
        var order = new List<string>();
        var spent = TimeSpan.Zero;
        while (queue.Next(spent) is { } turn)
        {
            var took = Cost(turn.Backup.Size);
            spent += took;
            queue.Spent(turn, took);
            pace.Learn(turn.Backup.Size, took);
            looks[turn.Backup.Key] = now + spent;
            order.Add(turn.Backup.Key);
        }

        return order;
    }

    private static List<BackupEvent> Spend(BackupSession session, HandClock clock, TimeSpan budget, Action<BotBackup> tested, FailureKind? failure = null, IReadOnlyList<BotBackup>? backups = null) =>
    [
        .. BudgetRunner.Run(
            session,
            new BudgetRequest { Budget = budget, Options = new VerificationOptions { Depth = Depth.Archive }, Backups = backups },
            (_, backup, options, _, _, _) =>
            {
                clock.Advance(Cost(backup.Size));
                tested(backup);
                var proof = failure is null ? new Proof(options.Depth, clock.GetUtcNow(), Authenticated: false) : Proof.None;
                return new BotBackupVerification
                {
                    Backup = backup,
                    Location = backup.Location,
                    Depth = options.Depth,
                    Outcome = failure is null ? Outcome.Succeeded : Outcome.Failed,
                    Proof = proof,
                    Read = backup.Size,
                    Failure = failure is { } kind ? new Failure(kind, "Made up.", "Nothing.", backup) : null,
                    Duration = Cost(backup.Size),
                    Message = "",
                };
            },
            Workplace.None).ToBlockingEnumerable(),
    ];

    private static List<string> Keys(Workplace place) => [.. place.Local.List("config/", Workplace.None).Select(one => one.Key).Where(key => ArchiveName.TryParse(key, out _))];

    private static string Put(Workplace place, int n, int size)
    {
        var key = KeyOf(n);
        var path = place.Local.Locate(key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.Create(path);
        file.SetLength(size);
        return key;
    }

    private static string KeyOf(int n) => ArchiveName.Create(Component.Config, "config", BackupType.Full, new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero).AddHours(n), ".tar.gz").Key;

    private static BotBackup Made(int n, long size)
    {
        Assert.True(ArchiveName.TryParse(KeyOf(n), out var name));
        return BotBackup.Foreign(name, new StoredObject(KeyOf(n), size), new FolderStore("/nowhere"));
    }
}
