using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>The run of a budget that a record belongs to: what the next one reckons its pace by.</summary>
/// <param name="Id">Of the run.</param>
/// <param name="Began">When it began.</param>
/// <param name="Seconds">The budget.</param>
/// <param name="Previous">When the one before began; null where none is known.</param>
public sealed record ProofBudget(string Id, DateTimeOffset Began, double Seconds, DateTimeOffset? Previous = null);

/// <summary>One verification, as it stands beside the archive that it is of. See docs/formats.md, "Proof records". Immutable.</summary>
public sealed record ProofRecord
{
    /// <summary>The format that this code writes, and the highest it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The most bytes of one.</summary>
    public const int MaximumLength = 4096;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 8,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };

    /// <summary>Format number; a reader ignores a record with a higher one than it knows.</summary>
    public required int Format { get; init; }

    /// <summary>The backup's id.</summary>
    public required string Backup { get; init; }

    /// <summary>The archive's file name.</summary>
    public required string Archive { get; init; }

    /// <summary>SHA-256 of the manifest that it was compared with; null where there is none.</summary>
    public string? ManifestSha256 { get; init; }

    /// <summary>When it was done, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How deep it was asked to go.</summary>
    public required Depth Depth { get; init; }

    /// <summary>What came of it; Unknown where it says nothing of the archive.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>How far the archive was proven; of a failure, the least that can show that it is mended.</summary>
    public required ProofMark Mark { get; init; }

    /// <summary>What was wrong.</summary>
    public FailureKind? Failure { get; init; }

    /// <summary>Of a restore: where to. <c>Sandbox</c>, a server without secrets, a folder, a volume.</summary>
    public string? Where { get; init; }

    /// <summary>Whether the manifest's seal was checked under a key.</summary>
    public bool Authenticated { get; init; }

    /// <summary>Bytes that were read of the archive, and those that it has.</summary>
    public required long Read { get; init; }

    /// <inheritdoc cref="Read"/>
    public required long Size { get; init; }

    /// <summary>Entries that were read; 0 where none was looked at.</summary>
    public required long EntriesRead { get; init; }

    /// <summary>Entries that it holds; null where nothing says so.</summary>
    public long? Entries { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>The program with its version, and the machine.</summary>
    public required string Tool { get; init; }

    /// <inheritdoc cref="Tool"/>
    public required string Host { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The budget that it was done for; null where there was none.</summary>
    public ProofBudget? Budget { get; init; }

    /// <summary>Reads one; null for whatever is not exactly one, or of a format to come.</summary>
    public static ProofRecord? TryParse(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaximumLength)
            return null;
        try
        {
            return JsonSerializer.Deserialize<ProofRecord>(json, Json) is { Format: >= 1 and <= CurrentFormat } record ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The bytes that stand in the store.</summary>
    public byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];
}
