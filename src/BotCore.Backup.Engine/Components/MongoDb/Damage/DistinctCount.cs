using System.Numerics;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// How many different keys there were: exact for as long as they are kept, and an estimate (HyperLogLog with 2^14 registers, standard error 0.8 %) once <see cref="Shrink"/> gave
/// them up. 36 bytes a key then become 16 KiB in all. Keys must be good hashes. One thread.
/// </summary>
internal sealed class DistinctCount
{
    private const int IndexBits = 14;
    private const int Registers = 1 << IndexBits;

    private HashSet<UInt128>? _keys = [];
    private byte[]? _registers;

    /// <summary>Keys that are kept; 0 once it estimates.</summary>
    public int Kept => _keys?.Count ?? 0;

    public bool IsEstimate => _keys is null;

    public long Count => _keys?.Count ?? Estimate();

    /// <summary>Adds one; true where a key more is kept.</summary>
    public bool Add(UInt128 key)
    {
        if (_keys is not null)
            return _keys.Add(key);
        Note(key);
        return false;
    }

    /// <summary>Estimates from now on.</summary>
    public void Shrink()
    {
        if (_keys is not { } kept)
            return;
        _registers = new byte[Registers];
        _keys = null;
        foreach (var key in kept)
            Note(key);
    }

    private void Note(UInt128 key)
    {
        var hash = (ulong)key;
        var register = (int)(hash >> (64 - IndexBits));
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << IndexBits) | (1UL << (IndexBits - 1))) + 1);
        if (_registers![register] < rank)
            _registers[register] = rank;
    }

    private long Estimate()
    {
        var sum = 0.0;
        var empty = 0;
        foreach (var rank in _registers!)
        {
            sum += 1.0 / (1UL << rank);
            if (rank == 0)
                empty++;
        }

        const double bias = 0.7213 / (1 + (1.079 / Registers));
        var estimate = bias * Registers * Registers / sum;
        // Few keys leave registers empty, and those tell it better.
        if (estimate <= 2.5 * Registers && empty > 0)
            estimate = Registers * Math.Log((double)Registers / empty);
        return (long)Math.Round(estimate);
    }
}
