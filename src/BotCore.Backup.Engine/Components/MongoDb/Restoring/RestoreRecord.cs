using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>How far a restore has come. What comes next is not begun.</summary>
internal enum RestorePhase
{
    /// <summary>Not known; nothing can be resumed from it.</summary>
    Unknown = 0,

    /// <summary>Collections are made and filled. Half a load is not trusted: it is dropped and done again.</summary>
    Loading,

    /// <summary>All documents were written, read back and proven; the oplog is being applied.</summary>
    Replaying,

    /// <summary>The oplog was applied to its end; indexes are being built.</summary>
    Indexing,

    /// <summary>Collections are being swapped in.</summary>
    Swapping,
}

/// <summary>What a restore keeps of itself in the target, so that the same restore can go on when it was killed.</summary>
internal sealed record RestoreRecord
{
    /// <summary>The only format there is. It is part of the fingerprint, so another one is never resumed.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Its only document's <c>_id</c>: that it can be inserted once only is the claim.</summary>
    public const string Key = "restore";

    // A document may have 16 MiB; one awaited delete takes less than 400 bytes.
    private const int MostAwaited = 40_000;

    /// <summary>The restore's id; the names of what it stages begin with it.</summary>
    public required string Id { get; init; }

    /// <summary>Tells what is restored, and as what.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The dump, for people.</summary>
    public required string Source { get; init; }

    public RestorePhase Phase { get; init; }

    /// <summary>Whether the same restore, run again, can go on from it.</summary>
    public bool IsResumable { get; init; }

    /// <summary>How far the replay is; null where it has not begun.</summary>
    public ReplayCheckpoint? Applied { get; init; }

    /// <summary>By the server's clock.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>The owner's last sign of life, by the server's clock.</summary>
    public DateTimeOffset Beat { get; init; }

    public required RestoreOwner Owner { get; init; }

    /// <summary>Whether a checkpoint is small enough to be kept; where it is not, nothing can be resumed.</summary>
    public static bool Fits(ReplayCheckpoint checkpoint) => checkpoint.Awaited.Count <= MostAwaited;

    /// <summary>Null where it is none of ours, or of another format.</summary>
    public static RestoreRecord? Read(RawBson document)
    {
        if (document.FindInt64("format"u8) != CurrentFormat || document.FindString("id"u8) is not { } id || document.FindString("fingerprint"u8) is not { } fingerprint
            || document.FindDocument("owner"u8) is not { } owner)
            return null;
        return new RestoreRecord
        {
            Id = id,
            Fingerprint = fingerprint,
            Source = document.FindString("source"u8) ?? "",
            Phase = Enum.TryParse<RestorePhase>(document.FindString("phase"u8), out var phase) ? phase : RestorePhase.Unknown,
            IsResumable = document.IsTrue("resumable"u8),
            Applied = ReadCheckpoint(document),
            Started = Time(document, "started"u8),
            Beat = Time(document, "beat"u8),
            Owner = RestoreOwner.Read(owner),
        };
    }

    public BsonBuilder ToBson()
    {
        var document = new BsonBuilder().Append("_id", Key).Append("format", CurrentFormat).Append("id", Id).Append("fingerprint", Fingerprint).Append("source", Source).Append("phase", Phase.ToString()).Append("resumable", IsResumable)
            .AppendDateTime("started", Started.ToUnixTimeMilliseconds()).AppendDateTime("beat", Beat.ToUnixTimeMilliseconds());
        Owner.Write(document);
        if (Applied is { } applied)
        {
            // Not at the top: there a server sets a time of zero, which stands before the first entry, to its own.
            document.BeginDocument("replay").Append("appliedTo", applied.AppliedTo).Append("commands", applied.Commands).BeginArray("awaited");
            for (var at = 0; at < applied.Awaited.Count; at++)
            {
                var awaited = applied.Awaited[at];
                document.BeginDocument(at.ToString(CultureInfo.InvariantCulture)).Append("ns", awaited.Namespace)
                    .Append("document", awaited.Document.ToString("x32", CultureInfo.InvariantCulture)).Append("since", awaited.Since).End();
            }

            document.End().End();
        }

        return document;
    }

    private static ReplayCheckpoint? ReadCheckpoint(RawBson document)
    {
        if (document.FindDocument("replay"u8) is not { } replay || replay.FindTimestamp("appliedTo"u8) is not { } applied)
            return null;
        var awaited = new List<AwaitedDelete>();
        var reader = (replay.FindDocument("awaited"u8) ?? RawBson.Empty).Read();
        while (reader.Read())
        {
            var one = new RawBson(reader.Current.AsDocument().ToArray());
            awaited.Add(new AwaitedDelete(
                one.FindString("ns"u8) ?? "", UInt128.Parse(one.FindString("document"u8) ?? "0", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), one.FindTimestamp("since"u8) ?? default));
        }

        return new ReplayCheckpoint(applied, awaited) { Commands = (int)(replay.FindInt64("commands"u8) ?? 0) };
    }

    private static DateTimeOffset Time(RawBson document, ReadOnlySpan<byte> name) =>
        document.TryFind(name, out var time) && time.Type == BsonType.DateTime ? DateTimeOffset.FromUnixTimeMilliseconds(time.AsDateTime()) : default;
}
