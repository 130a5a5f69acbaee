using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>Why a history could not be gone on with.</summary>
public enum OplogGapReason
{
    /// <summary>Never written.</summary>
    Unknown = 0,

    /// <summary>The server's oldest entry is later than the end of the chain.</summary>
    RolledOver,

    /// <summary>An election took back what was written: the server has other bytes at that time, or an entry of a higher term that is not later.</summary>
    RolledBack,

    /// <summary>The server has neither that entry nor a later history that tells where it went: most likely it is another server.</summary>
    OtherServer,

    /// <summary>A restore swapped collections in: what was written before it and what is there now are two histories.</summary>
    Restored,

    /// <summary>The entry is there, and no full backup in the store reaches it: an increment was lost.</summary>
    ChainBroken,
}

/// <summary>
/// A hole in what can be restored, noted in a store when it was noticed, as <c>mongodb/YYYY/MM/mongodb_gap_SECONDS_ORDINAL.json</c> by the end of the chain. Written once for each end of a
/// chain; never changed after. Immutable.
/// </summary>
public sealed record OplogGapRecord
{
    /// <summary>The format that this code writes, and the highest it reads.</summary>
    public const int CurrentFormat = 1;

    private const string Prefix = "mongodb_gap_";
    private const string Suffix = ".json";
    private const int MaximumLength = 4096;
    private const int MostOfOneEnd = 100;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };

    /// <summary>Format number; a reader refuses a higher one than it knows.</summary>
    public required int Format { get; init; }

    /// <summary>The history that ended: the id of the full backup that it began with.</summary>
    public required string Timeline { get; init; }

    /// <summary>Its last entry that is stored, <c>seconds:ordinal</c>: the gap begins after it.</summary>
    public required string From { get; init; }

    /// <summary>
    /// The first entry that could be stored again when the gap was noticed: the end of the full backup that is gone on from, or the server's oldest entry; null where nobody can tell.
    /// </summary>
    public string? To { get; init; }

    /// <summary>Why.</summary>
    public required OplogGapReason Reason { get; init; }

    /// <summary>When it was noticed, UTC.</summary>
    public required DateTimeOffset Noticed { get; init; }

    /// <summary>The run that noticed it.</summary>
    public required string RunId { get; init; }

    /// <summary>Reads one. Anything that is not exactly one throws <see cref="JsonException"/>.</summary>
    public static OplogGapRecord Parse(ReadOnlySpan<byte> json)
    {
        var record = JsonSerializer.Deserialize<OplogGapRecord>(json, Json) ?? throw new JsonException("The record is null.");
        if (record.Format is < 1 or > CurrentFormat)
            throw new JsonException($"The record's format is {record.Format}; this version reads format {CurrentFormat}.");
        return BsonTimestamp.TryParse(record.From, out _) && (record.To is null || BsonTimestamp.TryParse(record.To, out _))
            ? record
            : throw new JsonException("The record names no entry of an oplog.");
    }

    /// <summary>The bytes that stand in the store.</summary>
    public byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];

    /// <summary>All records in <paramref name="store"/>, by the end of their chain. One that cannot be read is told through <paramref name="failed"/>, and the rest goes on.</summary>
    public static IReadOnlyList<OplogGapRecord> ReadAll(IStore store, Action<Failure> failed, CancellationToken token)
    {
        var records = new List<OplogGapRecord>();
        foreach (var found in store.List("mongodb/", token).Where(one => IsOne(one.Key)).ToList())
        {
            try
            {
                records.Add(Read(store, found.Key, token));
            }
            catch (JsonException malformed)
            {
                failed(new Failure(
                    FailureKind.ArchiveCorrupt, $"The note of a gap '{found.Key}' in {store.Location} cannot be read.", "Remove it; Get-BotRecoveryWindow then shows the gap without its reason.", store.Locate(found.Key), malformed));
            }
        }

        return [.. records.OrderBy(record => BsonTimestamp.TryParse(record.From, out var at) ? at : default)];
    }

    /// <summary>Leaves this record in <paramref name="store"/>; for the holder of the lease of increments. False where one of the same end of the same history stands there already, whatever it says.</summary>
    public bool Write(IStore store, CancellationToken token)
    {
        for (var attempt = 1; attempt <= MostOfOneEnd; attempt++)
        {
            var key = KeyOf(From, attempt);
            if (store.Find(key, token) is null)
            {
                Put(store, key, token);
                return true;
            }

            if (IsOfTimeline(store, key, token))
                return false;
        }

        return false;
    }

    /// <summary>Whether <paramref name="key"/> is that of a record.</summary>
    internal static bool IsOne(string key) =>
        key[(key.LastIndexOf('/') + 1)..].StartsWith(Prefix, StringComparison.Ordinal) && key.EndsWith(Suffix, StringComparison.Ordinal);

    private static string KeyOf(string from, int attempt)
    {
        _ = BsonTimestamp.TryParse(from, out var end);
        var again = attempt > 1 ? "_" + attempt.ToString(CultureInfo.InvariantCulture) : "";
        return string.Create(CultureInfo.InvariantCulture, $"mongodb/{end.Time.UtcDateTime:yyyy}/{end.Time.UtcDateTime:MM}/{Prefix}{end.Seconds}_{end.Ordinal}{again}{Suffix}");
    }

    private void Put(IStore store, string key, CancellationToken token)
    {
        using var writer = store.Create(key, token);
        writer.Write(ToJson());
        writer.Commit();
    }

    private bool IsOfTimeline(IStore store, string key, CancellationToken token)
    {
        try
        {
            return string.Equals(Read(store, key, token).Timeline, Timeline, StringComparison.Ordinal);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static OplogGapRecord Read(IStore store, string key, CancellationToken token)
    {
        using var stream = store.OpenRead(key, 0, token);
        var buffer = new byte[MaximumLength + 1];
        var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= MaximumLength ? Parse(buffer.AsSpan(0, length)) : throw new JsonException($"A record has at most {MaximumLength} bytes.");
    }
}
