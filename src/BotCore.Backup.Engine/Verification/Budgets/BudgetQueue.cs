using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>An archive that waits for its turn.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="LastLook">When it was last read as deep as this; null where never.</param>
/// <param name="Matters">Whether it is what would be restored if it had to be now.</param>
internal sealed record BudgetCandidate(BotBackup Backup, DateTimeOffset? LastLook, bool Matters);

/// <summary>
/// Whose turn it is. Who waits longest has the first right: those that were never read this deep, then those that were longest ago. What matters most is preferred among those that were never read, for half of the time at
/// most; so a new backup every day cannot keep the old ones waiting for ever. What does not fit into the time that is left is not begun, since a half-read archive proves nothing; what needs more than half of a budget
/// waits until it is the longest waiting, and then is the first of its run, even where that takes longer than the budget. So everything has its turn, whatever its size. See decisions/0032. One thread.
/// </summary>
internal sealed class BudgetQueue
{
    private readonly TimeSpan _budget;
    private readonly BudgetPace _pace;
    private readonly List<BudgetCandidate> _waiting;
    private TimeSpan _onImportant;
    private TimeSpan _onOthers;

    public BudgetQueue(IEnumerable<BudgetCandidate> candidates, TimeSpan budget, BudgetPace pace)
    {
        (_budget, _pace) = (budget, pace);
        _waiting =
        [
            .. candidates.OrderBy(one => one.LastLook ?? DateTimeOffset.MinValue).ThenBy(one => one.Backup.Taken).ThenBy(one => one.Backup.Key, StringComparer.Ordinal),
        ];
    }

    /// <summary>Those that had no turn yet, the longest waiting first.</summary>
    public IReadOnlyList<BudgetCandidate> Waiting => _waiting;

    /// <summary>The next one, out of the queue; null where nothing that waits fits into what is left of the time.</summary>
    public BudgetCandidate? Next(TimeSpan spent)
    {
        if (_waiting.Count == 0)
            return null;
        if (_onImportant + _onOthers == TimeSpan.Zero && (IsLarge(_waiting[0]) || spent >= _budget))
            return Take(_waiting[0]);
        var left = _budget - spent;
        var prefersImportant = _onImportant <= _onOthers;
        // Behind those that were never read stand all others, by their time.
        var chosen = _waiting.Find(one => one.LastLook is null && IsImportant(one) == prefersImportant && Fits(one, left)) ?? _waiting.Find(one => Fits(one, left));
        // The first is read whatever it takes, or a run of a small budget would never read anything.
        chosen ??= _onImportant + _onOthers == TimeSpan.Zero ? _waiting[0] : null;
        return chosen is null ? null : Take(chosen);
    }

    /// <summary>Says how long the last one took.</summary>
    public void Spent(BudgetCandidate candidate, TimeSpan took)
    {
        var counted = took > TimeSpan.Zero ? took : TimeSpan.FromTicks(1);
        if (IsImportant(candidate))
            _onImportant += counted;
        else
            _onOthers += counted;
    }

    /// <summary>
    /// Runs of the same budget that <paramref name="candidates"/> need, rather too many: a large one is the first of a run of its own, and a run ends when nothing fits any more, which wastes less than the largest of the others takes.
    /// </summary>
    public int RunsFor(IReadOnlyList<BudgetCandidate> candidates)
    {
        // A tenth more, since no two runs are equally fast.
        var each = candidates.Select(one => _pace.Estimate(one.Backup.Size).TotalSeconds * 1.1).ToList();
        var (budget, half) = (_budget.TotalSeconds, _budget.TotalSeconds / 2);
        var large = each.Where(one => one > half).ToList();
        var others = each.Where(one => one <= half).ToList();
        var waste = others.Count > 0 ? others.Max() : 0;
        var beside = large.Sum(one => Math.Max(0, budget - one - waste));
        return (int)Math.Min(int.MaxValue, large.Count + Math.Ceiling(Math.Max(0, others.Sum() - beside) / (budget - waste)));
    }

    private bool IsLarge(BudgetCandidate one) => _pace.Estimate(one.Backup.Size) > _budget / 2;

    private bool IsImportant(BudgetCandidate one) => one is { Matters: true, LastLook: null } && !IsLarge(one);

    private bool Fits(BudgetCandidate one, TimeSpan left) => left > TimeSpan.Zero && _pace.Estimate(one.Backup.Size) <= left;

    private BudgetCandidate Take(BudgetCandidate one)
    {
        _waiting.Remove(one);
        return one;
    }
}
