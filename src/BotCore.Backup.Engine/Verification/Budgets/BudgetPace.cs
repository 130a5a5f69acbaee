namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>How long archives take, learned from those that were read: so much for each, and so much for each byte. One thread.</summary>
internal sealed class BudgetPace
{
    // Of a run that knows nothing yet: a slow disk, so that it rather begins too little.
    private const double FirstRate = 32 << 20;
    private const double FirstEach = 0.1;

    private double _count, _bytes, _seconds, _squares, _products, _largest, _now, _nowSeconds;

    /// <summary>Bytes a second in this run; 0 where it read nothing.</summary>
    public long Rate => _nowSeconds > 0 ? (long)(_now / _nowSeconds) : 0;

    /// <summary>Learns of one that an earlier run read.</summary>
    public void Recall(long bytes, TimeSpan took) => Add(bytes, took);

    /// <summary>Learns of one that was read now.</summary>
    public void Learn(long bytes, TimeSpan took)
    {
        Add(bytes, took);
        _now += bytes;
        _nowSeconds += took.TotalSeconds;
    }

    /// <summary>How long one of that length may take.</summary>
    public TimeSpan Estimate(long bytes)
    {
        if (_count == 0)
            return TimeSpan.FromSeconds(FirstEach + (bytes / FirstRate));
        // Far above what was seen nothing tells what is each archive's and what each byte's: as slow as the largest.
        var known = Math.Max(_largest, 1);
        return TimeSpan.FromSeconds(Line(Math.Min(bytes, known)) * Math.Max(1, bytes / known));
    }

    private double Line(double bytes)
    {
        var mean = _seconds / _count;
        var spread = (_count * _squares) - (_bytes * _bytes);
        // Of archives of one length the mean is all there is.
        if (spread <= 1e-6 * _count * _squares)
            return mean;
        var each = Math.Max(0, ((_count * _products) - (_bytes * _seconds)) / spread);
        var start = mean - (each * _bytes / _count);
        // A line through noise may begin below nothing: then it is bytes alone that take time.
        return start >= 0 ? start + (each * bytes) : _seconds / Math.Max(1, _bytes) * bytes;
    }

    private void Add(long bytes, TimeSpan took)
    {
        _count++;
        _bytes += bytes;
        _seconds += took.TotalSeconds;
        _squares += (double)bytes * bytes;
        _products += bytes * took.TotalSeconds;
        _largest = Math.Max(_largest, bytes);
    }
}
