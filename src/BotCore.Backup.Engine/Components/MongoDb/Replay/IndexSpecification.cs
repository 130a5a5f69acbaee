using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Makes an index specification, as old servers wrote it, one that servers of today take; and changes one as collMod does.</summary>
internal static class IndexSpecification
{
    // What createIndexes takes (MongoDB manual, "createIndexes"). `ns`, `background`, `dropDups` and what clients made up are left out.
    private static readonly HashSet<string> Options = new(
        [
            "v", "key", "name", "unique", "sparse", "hidden", "partialFilterExpression", "expireAfterSeconds", "storageEngine", "weights", "default_language",
            "language_override", "textIndexVersion", "2dsphereIndexVersion", "bits", "min", "max", "bucketSize", "collation", "wildcardProjection", "prepareUnique",
            "finestIndexedLevel", "coarsestIndexedLevel",
            // What the index of a time-series collection was asked for as; stands on its buckets.
            "originalSpec",
        ],
        StringComparer.Ordinal);

    /// <summary>Whether it is the index that a collection has from its creation on: on _id, or the clustered one.</summary>
    public static bool IsImplicit(RawBson specification)
    {
        if (specification.IsTrue("clustered"u8))
            return true;
        if (specification.FindDocument("key"u8) is not { } key)
            return false;
        var reader = key.Read();
        return reader.Read() && reader.Current.NameIs("_id"u8) && reader.Current.IsNumber && !reader.Read();
    }

    /// <summary>Leaves out what no server of today takes. With <paramref name="convertLegacy"/>, key values that are no direction become 1, as mongorestore --convertLegacyIndexes has it.</summary>
    public static RawBson Clean(RawBson specification, bool convertLegacy)
    {
        var builder = new BsonBuilder(specification.Length);
        var reader = specification.Read();
        while (reader.Read())
        {
            var element = reader.Current;
            if (!Options.Contains(element.NameText))
                continue;
            if (convertLegacy && element.NameIs("key"u8) && element.Type == BsonType.Document)
                AppendKey(builder, element.AsDocument());
            else
                builder.Append(element);
        }

        return builder.ToBson();
    }

    /// <summary>The specification after collMod with this <c>index</c> document.</summary>
    public static RawBson Change(RawBson specification, RawBson change)
    {
        var expire = Has(change, "expireAfterSeconds"u8);
        var hidden = Has(change, "hidden"u8);
        var prepare = Has(change, "prepareUnique"u8);
        var unique = change.IsTrue("unique"u8);
        var notUnique = change.IsTrue("forceNonUnique"u8);
        var builder = new BsonBuilder(specification.Length + 32);
        var reader = specification.Read();
        while (reader.Read())
        {
            var replaced = reader.Current.NameText switch
            {
                "expireAfterSeconds" => expire,
                "hidden" => hidden,
                "prepareUnique" => prepare || unique || notUnique,
                "unique" => unique || notUnique,
                _ => false,
            };
            if (!replaced)
                builder.Append(reader.Current);
        }

        if (expire && change.TryFind("expireAfterSeconds"u8, out var seconds))
            builder.Append(seconds);
        if (change.IsTrue("hidden"u8))
            builder.Append("hidden", true);
        if (change.IsTrue("prepareUnique"u8))
            builder.Append("prepareUnique", true);
        if (unique)
            builder.Append("unique", true);
        return builder.ToBson();
    }

    private static bool Has(RawBson change, ReadOnlySpan<byte> name) => change.Has(name);

    private static void AppendKey(BsonBuilder builder, ReadOnlySpan<byte> key)
    {
        builder.BeginDocument("key");
        var reader = new BsonReader(key);
        while (reader.Read())
        {
            var element = reader.Current;
            var keeps = element.Type switch
            {
                BsonType.String => element.AsUtf8().Length > 0,
                BsonType.Decimal128 => true,
                _ => element.IsNumber && element.AsDouble() is not 0,
            };
            if (keeps)
                builder.Append(element);
            else
                builder.Append(Encoding.UTF8.GetString(element.Name), 1);
        }

        builder.End();
    }
}
