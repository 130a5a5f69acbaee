using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>What COMPRESSION=auto has to reach. One of the two at least is set.</summary>
/// <param name="Window">The time that a backup may take.</param>
/// <param name="Ratio">How many times smaller the data must get.</param>
public sealed partial record CompressionTarget(TimeSpan? Window, double? Ratio)
{
    /// <summary>Reads <c>45m</c>, <c>1h30m</c>, <c>3x</c>, <c>2h 2.5x</c>; false where it is something else.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out CompressionTarget? target)
    {
        target = null;
        TimeSpan? window = null;
        double? ratio = null;
        foreach (var word in (text ?? "").Split([' ', ',', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (Time().Match(word) is { Success: true, Length: > 0 } time && window is null)
                window = TimeSpan.FromHours(Part(time, "h")) + TimeSpan.FromMinutes(Part(time, "m")) + TimeSpan.FromSeconds(Part(time, "s"));
            else if (Times().Match(word) is { Success: true } times && ratio is null)
                ratio = double.Parse(times.Groups["n"].Value, CultureInfo.InvariantCulture);
            else
                return false;
        }

        if ((window is null && ratio is null) || window <= TimeSpan.Zero || ratio < 1)
            return false;
        target = new CompressionTarget(window, ratio);
        return true;
    }

    /// <summary>As it is written in settings.</summary>
    public override string ToString() => string.Join(' ', new[]
    {
        Window is { } window ? (window.TotalHours >= 1 ? $"{(int)window.TotalHours}h" : "") + (window.Minutes > 0 ? $"{window.Minutes}m" : "") + (window.Seconds > 0 ? $"{window.Seconds}s" : "") : "",
        Ratio is { } ratio ? ratio.ToString(CultureInfo.InvariantCulture) + "x" : "",
    }.Where(part => part.Length > 0));

    private static int Part(Match time, string unit) => time.Groups[unit] is { Success: true } part ? int.Parse(part.Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"\A((?<h>\d{1,4})h)?((?<m>\d{1,5})m)?((?<s>\d{1,6})s)?\z", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Time();

    [GeneratedRegex(@"\A(?<n>\d{1,3}(\.\d{1,3})?)x\z", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Times();
}
