using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>
/// The names under which a restore works in a database: what is being written (<c>__bot_ID.name</c>), what was there before (<c>__bot_undo_ID.name</c>), and the journal
/// that tells an undo what to do (<c>__bot_undo_ID</c>). Names too long for that are hashed. Thread-safe.
/// </summary>
internal sealed class StagingNames(string id)
{
    // A namespace has 255 bytes at most, and 120 in MongoDB 4.2.
    private const int LongestNamespace = 120;

    private readonly ConcurrentDictionary<DumpNamespace, string> _known = new();

    public string Id => id;

    /// <summary>The journal's collection; stands in every database that was restored.</summary>
    public string Journal => Undo(id);

    /// <summary>The journal of restore <paramref name="id"/>.</summary>
    public static string Undo(string id) => $"{CollectionRules.OwnPrefix}undo_{id}";

    /// <summary>What every collection's name begins with that restore <paramref name="id"/> is writing.</summary>
    public static string StagedPrefix(string id) => $"{CollectionRules.OwnPrefix}{id}.";

    public DumpNamespace Staged(DumpNamespace target) => Prefixed(target, StagedPrefix(id));

    public DumpNamespace Kept(DumpNamespace target) => Prefixed(target, Undo(id) + ".");

    private DumpNamespace Prefixed(DumpNamespace target, string prefix)
    {
        var key = target with { Collection = prefix + target.Collection };
        return target with { Collection = _known.GetOrAdd(key, name => Shorten(name, prefix)) };
    }

    private static string Shorten(DumpNamespace name, string prefix) => Encoding.UTF8.GetByteCount(name.ToString()) <= LongestNamespace
        ? name.Collection
        : $"{prefix}~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name.Collection)))[..32]}";
}
