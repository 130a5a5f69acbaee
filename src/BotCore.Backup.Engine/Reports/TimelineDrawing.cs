using System.Globalization;
using System.Net;
using System.Text;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Reports;

/// <summary>
/// Draws what is kept along one axis of time, as SVG: a lane of bars for each thing, as high as the archive is large, and a lane of spans for each database that can be restored to any second.
/// State is shown by colour and by a mark, so that it can be told without colour.
/// </summary>
internal sealed class TimelineDrawing
{
    private const int Width = 1000;
    private const int Left = 190;
    private const int Right = 12;
    private const int LaneHeight = 44;
    private const int BarHeight = 30;
    private const int AxisHeight = 26;
    private const double BarWidth = 3;

    private readonly BotBackupReport _report;
    private readonly DateTimeOffset _from;
    private readonly DateTimeOffset _to;
    private readonly StringBuilder _svg = new();
    private int _top = 8;

    private TimelineDrawing(BotBackupReport report)
    {
        _report = report;
        var moments = report.Archives.Select(archive => archive.Taken).OfType<DateTimeOffset>().Concat(report.Windows.SelectMany(window => new[] { window.From, window.To })).ToList();
        _from = moments.Count > 0 ? moments.Min() : report.Made;
        _to = moments.Append(report.Made).Max();
        // A single moment has no axis: an hour around it has.
        if (_to - _from < TimeSpan.FromHours(1))
            _from = _to.AddHours(-1);
    }

    /// <summary>The drawing; empty where there is nothing with a time.</summary>
    public static string Draw(BotBackupReport report) => report.Archives.Any(archive => archive.Taken is not null) ? new TimelineDrawing(report).Draw() : "";

    private string Draw()
    {
        foreach (var lane in _report.Archives.Where(archive => archive.Taken is not null)
            .GroupBy(archive => (archive.Component, Name: archive.Type == BackupType.Snapshot ? "snapshots" : archive.Name, archive.Store)))
        {
            DrawArchives(Label(lane.Key.Component, lane.Key.Name, lane.Key.Store), [.. lane]);
        }

        foreach (var lane in _report.Windows.GroupBy(window => (window.Database, window.Store)))
            DrawWindows($"any second of {lane.Key.Database}{InStore(lane.Key.Store)}", [.. lane]);
        DrawAxis();
        var height = _top + AxisHeight;
        return Text($"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"Archives by time and size, and what can be restored to any second\">\n")
            + "<defs><pattern id=\"gap\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" class=\"hatch\"/></pattern></defs>\n"
            + _svg + "</svg>\n";
    }

    private void DrawArchives(string label, IReadOnlyList<ReportedArchive> archives)
    {
        DrawLabel(label);
        var floor = _top + LaneHeight - 8;
        Add($"<line x1=\"{Left}\" y1=\"{floor}\" x2=\"{Width - Right}\" y2=\"{floor}\" class=\"floor\"/>\n");
        var largest = Math.Max(1, archives.Max(archive => archive.Size.Bytes));
        // Where thousands share a pixel, the worst of them is shown, and the largest of those.
        foreach (var column in archives.GroupBy(archive => (int)X(archive.Taken!.Value)).OrderBy(column => column.Key))
        {
            var shown = column.OrderByDescending(archive => Badness(archive.Status)).ThenByDescending(archive => archive.Size.Bytes).First();
            var height = Math.Max(3, BarHeight * (double)shown.Size.Bytes / largest);
            var x = X(shown.Taken!.Value);
            var others = column.Count() > 1 ? $" and {column.Count() - 1} more" : "";
            Add($"<g class=\"{Class(shown.Status)}\"><title>{Html($"{shown.Key}{others}\n{shown.Taken:u}, {shown.Size}\n{shown.Text}")}</title>");
            Add($"<rect x=\"{x - (BarWidth / 2):0.#}\" y=\"{floor - height:0.#}\" width=\"{BarWidth}\" height=\"{height:0.#}\"/>");
            if (Badness(shown.Status) > 1)
                Add($"<path d=\"M{x - 4:0.#} {floor - height - 10:0.#}l8 8m0 -8l-8 8\" class=\"mark\"/>");
            Add($"</g>\n");
        }

        _top += LaneHeight;
    }

    private void DrawWindows(string label, IReadOnlyList<BotRecoveryWindow> windows)
    {
        DrawLabel(label);
        foreach (var window in windows)
        {
            var width = Math.Max(BarWidth, X(window.To) - X(window.From));
            var x = Math.Min(X(window.From), Width - Right - width);
            var isGap = window.State == RecoveryState.Gap;
            Add($"<g><title>{Html(TextReport.Check(window).Text)}</title><rect x=\"{x:0.#}\" y=\"{_top + 12}\" width=\"{width:0.#}\" height=\"16\" class=\"{(isGap ? "gap" : "window")}\"/></g>\n");
        }

        _top += LaneHeight;
    }

    private void DrawAxis()
    {
        Add($"<line x1=\"{Left}\" y1=\"{_top}\" x2=\"{Width - Right}\" y2=\"{_top}\" class=\"axis\"/>\n");
        var format = (_to - _from).TotalDays switch { < 3 => "MM-dd HH:mm", < 700 => "yyyy-MM-dd", _ => "yyyy-MM" };
        const int Steps = 5;
        for (var step = 0; step <= Steps; step++)
        {
            var at = _from + ((_to - _from) / Steps * step);
            var anchor = step switch { 0 => "start", Steps => "end", _ => "middle" };
            Add($"<line x1=\"{X(at):0.#}\" y1=\"{_top}\" x2=\"{X(at):0.#}\" y2=\"{_top + 5}\" class=\"axis\"/>");
            Add($"<text x=\"{X(at):0.#}\" y=\"{_top + 19}\" text-anchor=\"{anchor}\">{at.UtcDateTime.ToString(format, CultureInfo.InvariantCulture)}</text>\n");
        }
    }

    private void DrawLabel(string label)
    {
        // What is too long for its place is cut, and whole in its title.
        const int Longest = 26;
        var shown = label.Length > Longest ? label[..(Longest - 1)] + "…" : label;
        Add($"<text x=\"{Left - 10}\" y=\"{_top + 27}\" text-anchor=\"end\"><title>{Html(label)}</title>{Html(shown)}</text>\n");
    }

    private string Label(Component component, string name, string store)
    {
        var thing = component is Component.MongoDb or Component.Config && !string.Equals(name, "snapshots", StringComparison.Ordinal) ? TextReport.Heading(component) : name;
        return thing + InStore(store);
    }

    private string InStore(string store) => _report.Stores.Count > 1 ? $" ({store})" : "";

    private double X(DateTimeOffset at) => Left + ((Width - Left - Right) * Math.Clamp((at - _from) / (_to - _from), 0, 1));

    private static int Badness(ReportStatus status) => status switch
    {
        ReportStatus.Failed => 3,
        ReportStatus.Unknown => 2,
        ReportStatus.Warning => 1,
        _ => 0,
    };

    /// <summary>The class that gives a state its colour.</summary>
    public static string Class(ReportStatus status) => status switch
    {
        ReportStatus.Ok => "ok",
        ReportStatus.Failed => "fail",
        ReportStatus.Unknown => "unknown",
        _ => "warn",
    };

    private void Add(FormattableString piece) => _svg.Append(Text(piece));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Html(FormattableString text) => WebUtility.HtmlEncode(Text(text));

    private static string Html(string text) => WebUtility.HtmlEncode(text);
}
