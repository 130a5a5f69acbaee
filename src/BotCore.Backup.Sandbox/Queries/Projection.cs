using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>Inclusion or exclusion of top-level fields. Expressions and dotted names are refused.</summary>
internal sealed class Projection
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private bool _including;
    private bool _withId = true;

    private Projection()
    {
    }

    public static Projection? Parse(RawBson? projection)
    {
        if (projection is not { IsEmpty: false } given)
            return null;
        var parsed = new Projection();
        bool? including = null;
        var reader = given.Read();
        while (reader.Read())
        {
            var element = reader.Current;
            var name = element.NameText;
            if ((!element.IsNumber && element.Type != BsonType.Boolean) || name.Contains('.', StringComparison.Ordinal) || name.StartsWith('$'))
                throw new ServerException(ServerException.NotImplemented, $"The sandbox projects top-level fields by 0 and 1 only, not '{name}'.");
            if (element.NameIs("_id"u8))
            {
                parsed._withId = element.IsTruthy;
                continue;
            }

            if (including is { } before && before != element.IsTruthy)
                throw new ServerException(31254, $"Cannot do {(before ? "exclusion" : "inclusion")} on field {name} in {(before ? "inclusion" : "exclusion")} projection");
            including = element.IsTruthy;
            parsed._names.Add(name);
        }

        parsed._including = including ?? parsed._withId;
        return parsed;
    }

    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> document)
    {
        var builder = new BsonBuilder(document.Length);
        var reader = new BsonReader(document.Span);
        while (reader.Read())
        {
            var keep = reader.Current.NameIs("_id"u8) ? _withId : _names.Contains(reader.Current.NameText) == _including;
            if (keep)
                builder.Append(reader.Current);
        }

        return builder.Finish();
    }
}
