namespace BotCore.Backup.Engine.Metrics;

/// <summary>Samples that are changed one by one: what is not touched stays, so that a full backup never wipes what an increment said. One thread.</summary>
internal sealed class MetricBook
{
    private readonly Dictionary<string, MetricSample> _samples;

    public MetricBook(IEnumerable<MetricSample> samples)
    {
        _samples = new(StringComparer.Ordinal);
        foreach (var sample in samples)
            _samples[sample.Key] = sample;
    }

    public IEnumerable<MetricSample> Samples => _samples.Values;

    public void Set(string name, double value, params IReadOnlyList<(string Name, string Value)> labels) => Put(Sample(name, value, labels));

    public void Set(string name, DateTimeOffset time, params IReadOnlyList<(string Name, string Value)> labels) => Set(name, Math.Floor(time.ToUnixTimeMilliseconds() / 1000.0), labels);

    /// <summary>A counter goes up; from nothing where it was not there.</summary>
    public void Add(string name, double value, params IReadOnlyList<(string Name, string Value)> labels)
    {
        var sample = Sample(name, value, labels);
        Put(_samples.TryGetValue(sample.Key, out var old) ? sample with { Value = old.Value + value } : sample);
    }

    public double? Find(string name, params IReadOnlyList<(string Name, string Value)> labels) => _samples.TryGetValue(Sample(name, 0, labels).Key, out var sample) ? sample.Value : null;

    /// <summary>Takes a family away, where what it says is about to be said anew and whole.</summary>
    public void Forget(string name, Func<MetricSample, bool>? which = null)
    {
        foreach (var key in _samples.Values.Where(sample => string.Equals(sample.Name, name, StringComparison.Ordinal) && which?.Invoke(sample) != false).Select(sample => sample.Key).ToList())
            _samples.Remove(key);
    }

    private static MetricSample Sample(string name, double value, IReadOnlyList<(string Name, string Value)> labels) =>
        new(name, [.. labels.Select(label => new KeyValuePair<string, string>(label.Name, label.Value))], value);

    private void Put(MetricSample sample) => _samples[sample.Key] = sample;
}
