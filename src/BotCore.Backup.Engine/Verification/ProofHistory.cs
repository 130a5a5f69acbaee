using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Engine.Verification;

/// <summary>What the names of its records say of one archive. Immutable.</summary>
internal sealed class ProofHistory
{
    /// <summary>How far the clocks of two machines may be apart. A record from later than that is of a wrong clock, and does not count until its time has come.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly List<ProofName> _names;

    private ProofHistory(List<ProofName> names) => _names = names;

    public static ProofHistory Empty { get; } = new([]);

    /// <summary>The records that count, oldest first.</summary>
    public IReadOnlyList<ProofName> Names => _names;

    /// <summary>The damage that stands: the newest failure after which nothing went as far as it takes to show that it is mended.</summary>
    public ProofName? Damage => _names.FindLast(name => name.Flaw is not null && !_names.Exists(other => other.IsSuccess && other.Mark >= name.Mark && other.Order.CompareTo(name.Order) > 0));

    /// <summary>Those of <paramref name="names"/> that are of the archive with that seal, and of no time to come.</summary>
    public static ProofHistory Of(IEnumerable<ProofName> names, string seal, DateTimeOffset now) =>
        new([.. names.Where(name => string.Equals(name.Seal, seal, StringComparison.Ordinal) && name.At <= now + Skew).OrderBy(name => name.Order)]);

    /// <summary>The records among <paramref name="keys"/>, by what the keys of one archive begin with.</summary>
    public static Dictionary<string, List<ProofName>> Gather(IEnumerable<string> keys)
    {
        var found = new Dictionary<string, List<ProofName>>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (!ProofName.TryParse(key, out var prefix, out var name))
                continue;
            if (!found.TryGetValue(prefix, out var names))
                found[prefix] = names = [];
            names.Add(name);
        }

        return found;
    }

    /// <summary>When it was last looked at as far as <paramref name="mark"/>, whatever was found; null where never.</summary>
    public DateTimeOffset? LastLook(ProofMark mark) => _names.FindLast(name => name.Flaw is not null || name.Mark >= mark || name.Mark == ProofMark.Tried)?.At;

    /// <summary>The backup with what is known of it.</summary>
    public BotBackup Apply(BotBackup backup)
    {
        if (_names.Count == 0)
            return backup;
        var known = backup with { History = this };
        if (Damage is { } damage)
            return known with { IsDamaged = true, Proof = backup.Proof with { Depth = Depth.Unknown, At = damage.At, Damage = damage.Flaw } };
        // What was proven before damage was found and mended was proven of other bytes.
        var since = _names.FindLastIndex(name => name.Flaw is not null) + 1;
        var deepest = _names.Skip(since).Where(name => name.IsSuccess).OrderBy(name => name.Mark).ThenBy(name => name.Order).LastOrDefault();
        if (deepest is null)
            return known;
        return known with
        {
            Proof = backup.Proof with
            {
                Depth = deepest.Mark switch { ProofMark.Checksum => Depth.Checksum, ProofMark.Archive => Depth.Archive, _ => Depth.Restore },
                At = deepest.At,
                InSandbox = deepest.Mark == ProofMark.Sandbox,
            },
        };
    }
}
