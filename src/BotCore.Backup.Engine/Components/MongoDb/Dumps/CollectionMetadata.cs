using System.Globalization;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// What a collection or view is besides its documents: the content of its metadata file. Immutable; everything in it is kept as raw BSON, in its order, also
/// what this version does not know of (legacy key values and options of indexes).
/// </summary>
internal sealed record CollectionMetadata
{
    /// <summary>The type of a collection.</summary>
    public const string Collection = "collection";

    /// <summary>The type of a view.</summary>
    public const string View = "view";

    /// <summary>The type of a time-series collection.</summary>
    public const string TimeSeries = "timeseries";

    /// <summary>The options of <c>create</c>; empty for none.</summary>
    public RawBson Options { get; init; }

    /// <summary>The index specifications, that of _id among them, as the server lists them.</summary>
    public IReadOnlyList<RawBson> Indexes { get; init; } = [];

    /// <summary>The collection's UUID, 32 hex digits; null where it has none (views) or the dump is too old.</summary>
    public string? Uuid { get; init; }

    /// <summary>The true name; null in dumps before 100.0.</summary>
    public string? CollectionName { get; init; }

    /// <summary><see cref="Collection"/>, <see cref="View"/> or <see cref="TimeSeries"/>; null in dumps before 100.4: see <see cref="EffectiveType"/>.</summary>
    public string? Type { get; init; }

    /// <summary>The type, told from the options where the dump does not say it.</summary>
    public string EffectiveType => Type switch
    {
        not null => Type,
        null when Options.Has("viewOn"u8) => View,
        null when Options.Has("timeseries"u8) => TimeSeries,
        null => Collection,
    };

    /// <summary>Whether JSON loses something of it, so that the BSON copy must stand beside: found by making the way there and back.</summary>
    public bool NeedsBsonCopy
    {
        get
        {
            var bson = ToBson();
            try
            {
                return !ExtendedJson.Read(ExtendedJson.Write(bson.Span)).Span.SequenceEqual(bson.Span);
            }
            catch (BsonException)
            {
                return true;
            }
        }
    }

    /// <summary>Reads the content of a metadata file of any version, not compressed. An empty one is metadata that says nothing. <paramref name="target"/> is named in errors.</summary>
    public static CollectionMetadata Parse(ReadOnlySpan<byte> json, string target)
    {
        if (json.TrimStart(" \t\r\n"u8).IsEmpty)
            return new CollectionMetadata();
        try
        {
            return FromBson(ExtendedJson.Read(json));
        }
        catch (BsonException e)
        {
            throw Unreadable(target, e);
        }
    }

    /// <summary>Reads the BSON copy.</summary>
    public static CollectionMetadata ParseCopy(ReadOnlySpan<byte> bson, string target)
    {
        try
        {
            BsonValidator.Validate(bson);
            return FromBson(new RawBson(bson.ToArray()));
        }
        catch (BsonException e)
        {
            throw Unreadable(target, e);
        }
    }

    /// <summary>The content of the metadata file, UTF-8, byte for byte as mongodump 100.18 writes it.</summary>
    public byte[] ToJson() => ExtendedJson.Write(ToBson().Span);

    /// <summary>The content of the BSON copy.</summary>
    public RawBson ToBson()
    {
        var builder = new BsonBuilder();
        if (!Options.IsEmpty)
            builder.Append("options", Options);
        builder.BeginArray("indexes");
        for (var i = 0; i < Indexes.Count; i++)
            builder.Append(i.ToString(CultureInfo.InvariantCulture), Indexes[i]);
        builder.End();
        if (Uuid is not null)
            builder.Append("uuid", Uuid);
        if (CollectionName is not null)
            builder.Append("collectionName", CollectionName);
        if (Type is not null)
            builder.Append("type", Type);
        return builder.ToBson();
    }

    private static CollectionMetadata FromBson(RawBson document)
    {
        var indexes = new List<RawBson>();
        if (document.FindDocument("indexes"u8) is { } array)
        {
            var reader = array.Read();
            while (reader.Read())
                indexes.Add(new RawBson(reader.Current.Type == BsonType.Document ? reader.Current.Value.ToArray() : throw new BsonException("An index is not a document.")));
        }

        return new CollectionMetadata
        {
            Options = document.FindDocument("options"u8)?.Copy() ?? RawBson.Empty,
            Indexes = indexes,
            Uuid = Text(document, "uuid"u8),
            CollectionName = Text(document, "collectionName"u8),
            Type = Text(document, "type"u8),
        };
    }

    private static string? Text(RawBson document, ReadOnlySpan<byte> name) => document.FindString(name) is { Length: > 0 } text ? text : null;

    private static BackupException Unreadable(string target, BsonException cause) => new(
        FailureKind.ArchiveCorrupt,
        $"The metadata of a collection, {target}, cannot be read: {cause.Message}",
        "Restore from another backup; the collection's documents may be sound, but its options and indexes are not known.",
        target,
        cause);
}
