using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Cmdlets;

/// <summary>What -Budget takes: a TimeSpan, or a text with its unit. A constructor for each, so that PowerShell converts by itself.</summary>
public sealed class TimeBudget
{
    /// <summary>A text such as <c>30min</c>, <c>10s</c>, <c>2h</c> or <c>00:30:00</c>.</summary>
    public TimeBudget(string text) => Time = BudgetText.TryParse(text, out var time)
        ? time
        : throw new ArgumentException($"'{text}' is no time to spend. Give a number with its unit, such as 30min, 10s or 2h.", nameof(text));

    /// <summary>A time.</summary>
    public TimeBudget(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        Time = time;
    }

    /// <summary>The time.</summary>
    public TimeSpan Time { get; }

    /// <inheritdoc/>
    public override string ToString() => BudgetText.Of(Time);
}
