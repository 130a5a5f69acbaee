using System.Globalization;
using System.Text;

namespace BotCore.Backup.Engine.Metrics;

/// <summary>
/// Prometheus' text format 0.0.4, as far as the node exporter's textfile collector takes it: HELP, TYPE, samples without timestamps, which it refuses. UTF-8, LF.
/// </summary>
/// <remarks>Source: https://prometheus.io/docs/instrumenting/exposition_formats/.</remarks>
internal static class MetricText
{
    public static string KeyOf(string name, IReadOnlyList<KeyValuePair<string, string>> labels)
    {
        if (labels.Count == 0)
            return name;
        var text = new StringBuilder(name).Append('{');
        for (var i = 0; i < labels.Count; i++)
        {
            if (i > 0)
                text.Append(',');
            text.Append(labels[i].Key).Append("=\"").Append(Escape(labels[i].Value)).Append('"');
        }

        return text.Append('}').ToString();
    }

    public static string Write(IEnumerable<MetricSample> samples)
    {
        var byName = samples.ToLookup(sample => sample.Name, StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var family in MetricFamilies.All.Where(family => byName.Contains(family.Name)))
        {
            text.Append("# HELP ").Append(family.Name).Append(' ').Append(family.Help).Append('\n');
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(family.Type).Append('\n');
            foreach (var sample in byName[family.Name].OrderBy(sample => sample.Key, StringComparer.Ordinal))
                text.Append(sample.Key).Append(' ').Append(sample.Value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The samples of known families in <paramref name="text"/>; null where a line is none that <see cref="Write"/> makes.</summary>
    public static IReadOnlyList<MetricSample>? Read(string text)
    {
        var known = MetricFamilies.All.Select(family => family.Name).ToHashSet(StringComparer.Ordinal);
        var samples = new List<MetricSample>();
        foreach (var line in text.Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (ReadLine(line) is not { } sample)
                return null;
            if (known.Contains(sample.Name))
                samples.Add(sample);
        }

        return samples;
    }

    private static MetricSample? ReadLine(string line)
    {
        var end = line.AsSpan().IndexOfAny('{', ' ');
        if (end <= 0)
            return null;
        var labels = new List<KeyValuePair<string, string>>();
        var at = end;
        if (line[at] == '{' && !ReadLabels(line, ref at, labels))
            return null;
        return at < line.Length && line[at] == ' ' && double.TryParse(line.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? new MetricSample(line[..end], labels, value)
            : null;
    }

    private static bool ReadLabels(string line, ref int at, List<KeyValuePair<string, string>> labels)
    {
        do
        {
            at++;
            var equals = line.IndexOf('=', at);
            if (equals <= at || equals + 1 >= line.Length || line[equals + 1] != '"')
                return false;
            var name = line[at..equals];
            at = equals + 2;
            if (ReadValue(line, ref at) is not { } value)
                return false;
            labels.Add(new(name, value));
        }
        while (at < line.Length && line[at] == ',');
        return at < line.Length && line[at++] == '}';
    }

    private static string? ReadValue(string line, ref int at)
    {
        var value = new StringBuilder();
        for (; at < line.Length; at++)
        {
            switch (line[at])
            {
                case '"':
                    at++;
                    return value.ToString();
                case '\\' when at + 1 < line.Length:
                    at++;
                    value.Append(line[at] == 'n' ? '\n' : line[at]);
                    break;
                default:
                    value.Append(line[at]);
                    break;
            }
        }

        return null;
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
