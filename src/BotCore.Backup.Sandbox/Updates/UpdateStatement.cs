using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Updates;

/// <summary>What an update does to one document, and what the oplog says of it.</summary>
internal sealed class UpdateStatement
{
    private readonly RawBson _update;
    private readonly bool _isModifiers;
    private readonly OplogClockReading _now;

    public UpdateStatement(RawBson update, OplogClockReading now)
    {
        _update = update;
        _now = now;
        var reader = update.Read();
        _isModifiers = reader.Read() && reader.Current.Name is [(byte)'$', ..];
    }

    public bool IsReplacement => !_isModifiers;

    /// <summary>The new document and the entry's <c>o</c>; false where nothing changes.</summary>
    public bool TryApply(RawBson old, out RawBson changed, out RawBson logged)
    {
        changed = _isModifiers ? ModifierUpdate.Apply(old, _update, inserting: false, _now.Time.ToUnixTimeMilliseconds()) : Replacement(old);
        logged = changed;
        if (changed.Span.SequenceEqual(old.Span))
            return false;
        CheckId(old, changed);
        if (changed.Length > IncomingDocument.MaxBytes)
            throw new ServerException(17419, $"Resulting document after update is larger than {IncomingDocument.MaxBytes}");
        if (_isModifiers && DocumentDiff.Compute(old, changed) is { } diff)
            logged = new BsonBuilder(diff.Length + 32).Append("$v", 2).Append("diff", diff).ToBson();
        return true;
    }

    /// <summary>The document that an upsert makes where nothing matches.</summary>
    public RawBson Upserted(RawBson query)
    {
        var start = Equalities(query);
        var document = _isModifiers ? ModifierUpdate.Apply(start, _update, inserting: true, _now.Time.ToUnixTimeMilliseconds()) : WithId(start);
        return IncomingDocument.Prepare(document, _now);
    }

    private RawBson WithId(RawBson start) =>
        _update.Has("_id"u8) || !start.TryFind("_id"u8, out var id) ? _update : Prefixed(id, _update);

    private RawBson Replacement(RawBson old)
    {
        if (_update.Has("_id"u8))
            return IncomingDocument.Prepare(_update, _now);
        old.TryFind("_id"u8, out var id);
        return IncomingDocument.Prepare(Prefixed(id, _update), _now);
    }

    private static RawBson Prefixed(BsonElement id, RawBson document)
    {
        var builder = new BsonBuilder(document.Length + 32).Append(id);
        var reader = document.Read();
        while (reader.Read())
            builder.Append(reader.Current);
        return builder.ToBson();
    }

    private static void CheckId(RawBson old, RawBson changed)
    {
        var before = IdOrder.IdOf(old.Memory);
        var after = IdOrder.IdOf(changed.Memory);
        if (after.IsMissing || BsonOrder.Compare(before, after) != 0)
            throw new ServerException(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
    }

    private static RawBson Equalities(RawBson query)
    {
        var set = new BsonBuilder();
        var reader = query.Read();
        while (reader.Read())
        {
            var value = BsonValue.Within(query.Memory, reader.Current);
            if (reader.Current.Name is [(byte)'$', ..])
                continue;
            if (!FilterParser.IsOperators(value))
                set.Append(reader.Current);
            else if (value.Document.TryFind("$eq"u8, out var equal))
                set.AppendRaw(equal.Type, reader.Current.Name, equal.Value);
        }

        var update = new BsonBuilder().Append("$set", set.ToBson()).ToBson();
        return ModifierUpdate.Apply(RawBson.Empty, update, inserting: true, 0);
    }
}
