using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>A query over whole documents, and what of it an index can use.</summary>
internal sealed class Filter
{
    private readonly Predicate<ReadOnlyMemory<byte>> _matches;

    private Filter(Predicate<ReadOnlyMemory<byte>> matches, IdBounds bounds)
    {
        _matches = matches;
        Bounds = bounds;
    }

    public static Filter All { get; } = new(_ => true, new IdBounds());

    public IdBounds Bounds { get; }

    /// <summary>Whether it holds for every document.</summary>
    public bool IsEmpty => ReferenceEquals(this, All);

    public static Filter Parse(RawBson query) => query.IsEmpty ? All : new Filter(FilterParser.Parse(query), IdBounds.Of(query));

    /// <summary>A validator; one by <c>$jsonSchema</c> is kept but not enforced, as the sandbox does not know that language.</summary>
    public static Filter? ForValidation(RawBson validator) => validator.Has("$jsonSchema"u8) ? JsonSchemaFilter.Parse(validator) : Parse(validator);

    internal static Filter Of(Predicate<ReadOnlyMemory<byte>> matches) => new(matches, new IdBounds());

    public bool Matches(ReadOnlyMemory<byte> document) => _matches(document);
}
