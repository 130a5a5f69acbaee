namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>Bytes that are not the BSON they should be. The text never holds data of a document beyond a field's name.</summary>
public sealed class BsonException : Exception
{
    /// <summary>Makes one.</summary>
    public BsonException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
