using System.Globalization;

namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>A budget in words, and words that are a budget.</summary>
public static class BudgetText
{
    private static readonly (string Word, TimeSpan Unit)[] Units =
    [
        ("s", TimeSpan.FromSeconds(1)), ("sec", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)), ("min", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1)),
    ];

    /// <summary>Reads <c>30min</c>, <c>10s</c>, <c>2h</c>, <c>1.5h</c> or <c>00:30:00</c>. False for all else, and for what is not more than nothing.</summary>
    public static bool TryParse(string text, out TimeSpan budget)
    {
        budget = default;
        var trimmed = text.Trim();
        var digits = trimmed.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.').Count();
        var word = trimmed[digits..].Trim();
        if (word.StartsWith(':'))
            return TimeSpan.TryParse(trimmed, CultureInfo.InvariantCulture, out budget) && budget > TimeSpan.Zero;
        var unit = Array.Find(Units, one => string.Equals(one.Word, word, StringComparison.OrdinalIgnoreCase)).Unit;
        if (unit == default || !double.TryParse(trimmed[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number * unit.TotalDays > 365)
            return false;
        budget = unit * number;
        return budget > TimeSpan.Zero;
    }

    /// <summary><c>10 s</c>, <c>30 min</c>, <c>2.5 h</c>, <c>3 d</c>.</summary>
    public static string Of(TimeSpan time) => time switch
    {
        { TotalDays: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} d"),
        { TotalHours: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
        { TotalMinutes: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
    };

    internal static string Of(BotBackupBudget done, bool unrecorded)
    {
        if (done.Total == 0)
            return "There is no backup to test.";
        var read = string.Create(CultureInfo.InvariantCulture, $"{done.Tested:N0} of {done.Total:N0} archives were tested at {done.Depth} depth in {Of(done.Spent)}, {done.Read} at {done.Rate}/s.");
        if (unrecorded)
            return $"{read} Not all of it could be recorded, so the next run will not know what this one read, and nobody can say when everything will have been.";
        if (done.Left == 0)
            return $"{read} With that, every byte has been read in this run.";
        var left = string.Create(CultureInfo.InvariantCulture, $"{(done.Left == 1 ? "1 archive" : $"{done.Left:N0} archives")} ({done.LeftSize})");
        var pace = string.Create(CultureInfo.InvariantCulture, $"{(done.RunsLeft == 1 ? "1 more run" : $"{done.RunsLeft:N0} more runs")} of {Of(done.Budget)}, one every {(done.Interval == TimeSpan.FromDays(1) ? "day" : Of(done.Interval))}");
        var by = done.By?.UtcDateTime.ToString(done.Interval < TimeSpan.FromHours(12) ? "yyyy-MM-dd HH:mm:ss'Z'" : "yyyy-MM-dd", CultureInfo.InvariantCulture);
        return done.IsFirstRound
            ? $"{read} {left} still to be read for the first time take {pace}: every byte will have been read by {by}."
            : $"{read} Every byte has been read at this depth before; {left} since longer ago take {pace}: every byte will have been read anew by {by}.";
    }
}
