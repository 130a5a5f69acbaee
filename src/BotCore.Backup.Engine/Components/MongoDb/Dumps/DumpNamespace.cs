namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>A collection or view, by its true names.</summary>
/// <param name="Database">Its database; empty for the oplog of an archive stream.</param>
/// <param name="Collection">Its name in it; may hold dots.</param>
internal readonly record struct DumpNamespace(string Database, string Collection)
{
    /// <summary>As the server writes it: database, dot, collection.</summary>
    public override string ToString() => $"{Database}.{Collection}";
}
