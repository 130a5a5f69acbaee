using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// One oplog entry, or one operation inside of an <c>applyOps</c>, as a view over its bytes: valid as long as they are. Fields that are not there are empty.
/// Nothing is decoded but what a replay decides on.
/// </summary>
public readonly ref struct OplogEntry
{
    private OplogEntry(ReadOnlySpan<byte> raw)
    {
        Raw = raw;
        MultiOpType = -1;
        var reader = new BsonReader(raw);
        while (reader.Read())
        {
            var element = reader.Current;
            switch (element.Name)
            {
                case [(byte)'t', (byte)'s'] when element.Type == BsonType.Timestamp:
                    Timestamp = element.AsTimestamp();
                    HasTimestamp = true;
                    break;
                case [(byte)'t']:
                    Term = element.AsInt64();
                    break;
                case [(byte)'o', (byte)'p']:
                    Operation = element.AsUtf8();
                    break;
                case [(byte)'n', (byte)'s']:
                    Namespace = element.AsUtf8();
                    break;
                case [(byte)'o']:
                    Object = element.AsDocument();
                    IsVectored = element.Type == BsonType.Array;
                    break;
                case [(byte)'o', (byte)'2'] when element.Type == BsonType.Document:
                    Object2 = element.AsDocument();
                    break;
                case [(byte)'u', (byte)'i'] when element.Type == BsonType.Binary:
                    Collection = UuidOf(element);
                    break;
                case var name when name.SequenceEqual("lsid"u8) && element.Type == BsonType.Document:
                    Session = element.AsDocument();
                    break;
                case var name when name.SequenceEqual("txnNumber"u8):
                    TransactionNumber = element.AsInt64();
                    break;
                case var name when name.SequenceEqual("prevOpTime"u8) && element.Type == BsonType.Document:
                    Previous = RawBson.TryFind(element.AsDocument(), "ts"u8, out var previous) && previous.Type == BsonType.Timestamp ? previous.AsTimestamp() : null;
                    break;
                case var name when name.SequenceEqual("multiOpType"u8):
                    MultiOpType = element.AsInt32();
                    break;
                case var name when name.SequenceEqual("fromMigrate"u8):
                    FromMigration = element.IsTruthy;
                    break;
                default:
                    break;
            }
        }

        if (Operation is [(byte)'c'])
        {
            var command = new BsonReader(Object);
            if (command.Read())
                Command = command.Current.Name;
        }

        Kind = Classify();
    }

    /// <summary>The whole entry.</summary>
    public ReadOnlySpan<byte> Raw { get; }

    /// <summary><c>ts</c>; zero inside of an <c>applyOps</c>.</summary>
    public BsonTimestamp Timestamp { get; }

    /// <summary>Whether it has a <c>ts</c> of its own.</summary>
    public bool HasTimestamp { get; }

    /// <summary><c>t</c>, the term; null in entries of before 3.2.</summary>
    public long? Term { get; }

    /// <summary><c>op</c>, UTF-8.</summary>
    public ReadOnlySpan<byte> Operation { get; }

    /// <summary><c>ns</c>, UTF-8.</summary>
    public ReadOnlySpan<byte> Namespace { get; }

    /// <summary><c>o</c>: the document, the change or the command; an array where <see cref="IsVectored"/>.</summary>
    public ReadOnlySpan<byte> Object { get; }

    /// <summary>Whether <c>o</c> is an array of documents.</summary>
    public bool IsVectored { get; }

    /// <summary><c>o2</c>: which document an update is for.</summary>
    public ReadOnlySpan<byte> Object2 { get; }

    /// <summary><c>ui</c>: the collection's identity on the server that wrote the entry.</summary>
    public Guid? Collection { get; }

    /// <summary><c>lsid</c>.</summary>
    public ReadOnlySpan<byte> Session { get; }

    /// <summary><c>txnNumber</c>.</summary>
    public long? TransactionNumber { get; }

    /// <summary>Whether it was a statement that its driver may send again: it has a session and a number. Statements that change many documents never are.</summary>
    public bool IsRetryable => !Session.IsEmpty && TransactionNumber is not null;

    /// <summary><c>prevOpTime.ts</c>: the entry before this one in the same transaction; zero for the first.</summary>
    public BsonTimestamp? Previous { get; }

    /// <summary><c>multiOpType</c>; -1 where there is none.</summary>
    public int MultiOpType { get; }

    /// <summary><c>fromMigrate</c>.</summary>
    public bool FromMigration { get; }

    /// <summary>The command's name, UTF-8; empty for all but <c>c</c>.</summary>
    public ReadOnlySpan<byte> Command { get; }

    /// <summary>What it is.</summary>
    public OplogKind Kind { get; }

    /// <summary>Whether it changes one document of a collection.</summary>
    public bool IsDocumentChange => Kind is OplogKind.Insert or OplogKind.Update or OplogKind.Delete;

    /// <summary><c>ns</c> as text.</summary>
    public string NamespaceText => Encoding.UTF8.GetString(Namespace);

    /// <summary>Reads an entry of an oplog.</summary>
    /// <exception cref="BackupException">ArchiveCorrupt: it is not BSON, or has no <c>ts</c> or <c>op</c>.</exception>
    public static OplogEntry Parse(ReadOnlySpan<byte> raw)
    {
        var entry = ParseInner(raw);
        return entry.HasTimestamp ? entry : throw Corrupt("An oplog entry has no time stamp.");
    }

    /// <summary>Reads an operation inside of an <c>applyOps</c>, which has no time stamp of its own.</summary>
    /// <exception cref="BackupException">ArchiveCorrupt: it is not BSON, or has no <c>op</c>.</exception>
    public static OplogEntry ParseInner(ReadOnlySpan<byte> raw)
    {
        try
        {
            var entry = new OplogEntry(raw);
            if (entry.Operation.IsEmpty || (entry.Object.IsEmpty && entry.Kind != OplogKind.NoOp))
                throw Corrupt("An oplog entry does not say what it does.");
            return entry;
        }
        catch (BsonException damage)
        {
            throw Corrupt("An oplog entry cannot be read: " + damage.Message, damage);
        }
    }

    /// <summary>A string field of the command; empty where there is none.</summary>
    internal string Argument(ReadOnlySpan<byte> name) =>
        RawBson.TryFind(Object, name, out var value) && value.Type == BsonType.String ? value.AsString() : "";

    /// <summary>The namespace of the collection that a command names in its first field.</summary>
    internal string CommandNamespace() => NamespaceMap.DatabaseOf(NamespaceText) + "." + Argument(Command);

    internal static Guid? UuidOf(BsonElement element) =>
        element.Type == BsonType.Binary && element.AsBinary(out _) is { Length: 16 } bytes ? new Guid(bytes, bigEndian: true) : null;

    internal static BackupException Corrupt(string message, Exception? cause = null) =>
        new(FailureKind.ArchiveCorrupt, message, "Restore from another copy of this backup, or from the one before it.", cause: cause);

    private OplogKind Classify()
    {
        if (Operation.Length == 1)
        {
            switch ((char)Operation[0])
            {
                case 'n':
                    return OplogKind.NoOp;
                case 'i':
                    return OplogKind.Insert;
                case 'u':
                    return OplogKind.Update;
                case 'd':
                    return OplogKind.Delete;
                case 'c':
                    return ClassifyCommand();
                default:
                    return OplogKind.Unknown;
            }
        }

        return Encoding.UTF8.GetString(Operation) switch
        {
            "ci" or "cd" or "cu" or "km" or "xi" or "xd" => OplogKind.Ignored,
            _ => OplogKind.Unknown,
        };
    }

    private OplogKind ClassifyCommand() => Encoding.UTF8.GetString(Command) switch
    {
        "applyOps" => ClassifyApplyOps(),
        "commitTransaction" => OplogKind.CommitTransaction,
        "abortTransaction" => OplogKind.AbortTransaction,
        "create" => OplogKind.Create,
        "createIndexes" => OplogKind.CreateIndexes,
        "commitIndexBuild" => OplogKind.CommitIndexBuild,
        "dropIndexes" or "dropIndex" or "deleteIndexes" or "deleteIndex" => OplogKind.DropIndexes,
        "collMod" => OplogKind.CollectionChange,
        "drop" => OplogKind.Drop,
        "dropDatabase" => OplogKind.DropDatabase,
        "renameCollection" => OplogKind.Rename,
        "convertToCapped" or "emptycapped" => OplogKind.CappedChange,
        "startIndexBuild" or "abortIndexBuild" or "setMultikeyMetadata" or "dropIdent" or "dbCheck" => OplogKind.SkippedCommand,
        "importCollection" or "upgradeDowngradeViewlessTimeseries" => OplogKind.NotReplayable,
        _ => OplogKind.Unknown,
    };

    // 0 is a transaction that says so, 1 is a retryable batch that was applied one by one. What else may come is not guessed at.
    private OplogKind ClassifyApplyOps() => MultiOpType switch
    {
        1 => OplogKind.ApplyOps,
        -1 or 0 => Session.IsEmpty || TransactionNumber is null ? OplogKind.ApplyOps : OplogKind.Transaction,
        _ => OplogKind.Unknown,
    };
}
