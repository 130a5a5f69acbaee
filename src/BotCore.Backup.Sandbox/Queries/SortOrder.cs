using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>A sort specification. An array sorts by its least element ascending, and its greatest descending.</summary>
internal sealed class SortOrder : IComparer<ReadOnlyMemory<byte>>
{
    private readonly List<(BsonPath Path, int Sign)> _keys = [];

    private SortOrder()
    {
    }

    /// <summary>1 or -1 where it is by <c>$natural</c> alone.</summary>
    public int Natural { get; private set; }

    /// <summary>1 or -1 where it is by <c>_id</c> alone.</summary>
    public int ById => _keys is [{ Path.Text: "_id", Sign: var sign }] ? sign : 0;

    public static SortOrder? Parse(RawBson? sort)
    {
        if (sort is not { IsEmpty: false } given)
            return null;
        var order = new SortOrder();
        var reader = given.Read();
        while (reader.Read())
        {
            if (!reader.Current.IsNumber || Math.Abs(reader.Current.AsDouble()) is not 1)
                throw new ServerException(ServerException.NotImplemented, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
            var sign = reader.Current.AsInt32();
            if (reader.Current.NameIs("$natural"u8))
                order.Natural = sign;
            else
                order._keys.Add((new BsonPath(reader.Current.NameText), sign));
        }

        if (order.Natural != 0 && order._keys.Count > 0)
            throw new ServerException(ServerException.BadValue, "$natural sort cannot be set to a value other than -1 or 1, nor be combined.");
        return order;
    }

    public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y)
    {
        foreach (var (path, sign) in _keys)
        {
            var order = BsonOrder.Compare(Key(path, sign, x), Key(path, sign, y)) * sign;
            if (order != 0)
                return order;
        }

        return 0;
    }

    public List<ReadOnlyMemory<byte>> Sort(IEnumerable<ReadOnlyMemory<byte>> documents) => [.. documents.Order(this)];

    private static BsonValue Key(BsonPath path, int sign, ReadOnlyMemory<byte> document)
    {
        var found = new List<BsonValue>();
        path.Collect(document, spread: true, found);
        if (found.Count > 1)
            found.RemoveAll(value => value.Type == BsonType.Array);
        var key = found.Count == 0 ? BsonValue.Missing : found[0];
        foreach (var value in found)
        {
            if (BsonOrder.Compare(value, key) * sign < 0)
                key = value;
        }

        return key.IsMissing ? BsonValue.Null : key;
    }
}
