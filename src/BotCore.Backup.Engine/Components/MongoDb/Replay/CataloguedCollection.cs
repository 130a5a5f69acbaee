using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>One collection as it stands at the target, under the name that the source has for it at this point of the oplog.</summary>
internal sealed class CataloguedCollection(string name, Guid? uuid, bool isCapped)
{
    public string Name { get; set; } = name;

    public Guid? Uuid { get; set; } = uuid;

    /// <summary>Whether the order of inserts is part of the data.</summary>
    public bool IsCapped { get; set; } = isCapped;

    /// <summary>Whether its changes cannot be told apart by _id, and so must stay in one lane.</summary>
    public bool IsOrdered { get; set; } = isCapped;

    /// <summary>Whether its strings compare otherwise than byte by byte, so that a search must ask for the latter.</summary>
    public bool HasCollation { get; set; }

    public List<CataloguedIndex> Indexes { get; } = [];
}

/// <summary>One index that a collection must have at the end.</summary>
/// <param name="Specification">As createIndexes takes it.</param>
/// <param name="IsBuilt">Whether it stands at the target already.</param>
internal sealed record CataloguedIndex(RawBson Specification, bool IsBuilt)
{
    public string Name => Specification.FindString("name"u8) ?? "";

    /// <summary>Whether documents expire by it.</summary>
    public bool Expires => Specification.Has("expireAfterSeconds"u8);
}
