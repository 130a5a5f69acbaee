using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Rewrites oplog entries that hold operations (<c>applyOps</c>) with those of them that are wanted; operations that hold others themselves are cut likewise. One thread.</summary>
/// <param name="wants">Asked for each operation that holds no others.</param>
internal sealed class OperationCut(OperationCut.Wanted wants)
{
    private readonly BsonBuilder _rebuilt = new();

    internal delegate bool Wanted(ReadOnlySpan<byte> operation);

    /// <summary>Whether an operation holds others.</summary>
    public static bool HoldsOthers(ReadOnlySpan<byte> operation) =>
        RawBson.TryFind(operation, "op"u8, out var op) && op.Type == BsonType.String && op.AsUtf8().SequenceEqual("c"u8)
        && RawBson.TryFind(operation, "o"u8, out var command) && command.Type == BsonType.Document && RawBson.TryFind(command.AsDocument(), "applyOps"u8, out var held) && held.Type == BsonType.Array;

    /// <summary>The entry as it is without what is not wanted; valid until the next call.</summary>
    public ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> entry)
    {
        _rebuilt.Clear();
        Copy(entry);
        return _rebuilt.Finish().Span;
    }

    private void Copy(ReadOnlySpan<byte> entry)
    {
        var fields = new BsonReader(entry);
        while (fields.Read())
        {
            if (!fields.Current.NameIs("o"u8))
            {
                _rebuilt.Append(fields.Current);
                continue;
            }

            _rebuilt.BeginDocument("o");
            var command = new BsonReader(fields.Current.AsDocument());
            while (command.Read())
            {
                if (command.Current.NameIs("applyOps"u8))
                    CopyWanted(command.Current.AsDocument());
                else
                    _rebuilt.Append(command.Current);
            }

            _rebuilt.End();
        }
    }

    private void CopyWanted(ReadOnlySpan<byte> operations)
    {
        _rebuilt.BeginArray("applyOps");
        var count = 0;
        var reader = new BsonReader(operations);
        while (reader.Read())
        {
            var operation = reader.Current.AsDocument();
            if (HoldsOthers(operation))
            {
                _rebuilt.BeginDocument((count++).ToString(CultureInfo.InvariantCulture));
                Copy(operation);
                _rebuilt.End();
            }
            else if (wants(operation))
            {
                _rebuilt.Append((count++).ToString(CultureInfo.InvariantCulture), reader.Current);
            }
        }

        _rebuilt.End();
    }
}
