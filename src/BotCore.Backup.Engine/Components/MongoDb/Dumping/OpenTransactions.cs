using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// Of the entries that it is given, those of transactions in several entries that have not ended: what else they did is over. In memory, since they are few and this is rarely needed. One thread.
/// </summary>
internal sealed class OpenTransactions
{
    private readonly Dictionary<string, List<(int Number, byte[] Entry)>> _open = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>Entries of those that are open, in order.</summary>
    public IEnumerable<byte[]> Entries => _open.Values.SelectMany(entries => entries).OrderBy(one => one.Number).Select(one => one.Entry);

    /// <summary>Takes an entry of the oplog; what of it is <paramref name="kept"/> counts where <paramref name="isWanted"/>.</summary>
    public void Take(ReadOnlySpan<byte> entry, bool isWanted, ReadOnlySpan<byte> kept)
    {
        if (!RawBson.TryFind(entry, "o"u8, out var o) || o.Type != BsonType.Document || !RawBson.TryFind(entry, "txnNumber"u8, out var number) || !number.IsNumber
            || !RawBson.TryFind(entry, "lsid"u8, out var session) || session.Type != BsonType.Document)
            return;
        var command = o.AsDocument();
        var key = $"{Convert.ToHexString(session.AsDocument())}:{number.AsInt64()}";
        if (RawBson.TryFind(command, "applyOps"u8, out _) && (IsTrue(command, "partialTxn"u8) || IsTrue(command, "prepare"u8)))
        {
            if (!_open.TryGetValue(key, out var entries))
                _open.Add(key, entries = []);
            if (isWanted)
                entries.Add((_count++, kept.ToArray()));
            return;
        }

        _open.Remove(key);
    }

    public void Clear() => _open.Clear();

    private static bool IsTrue(ReadOnlySpan<byte> document, ReadOnlySpan<byte> name) => RawBson.TryFind(document, name, out var value) && value.IsTruthy;
}
