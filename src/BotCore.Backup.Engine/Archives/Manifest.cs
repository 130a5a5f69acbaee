using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// The small JSON head written last beside an archive: no manifest, no backup. Under 4 KiB, plain text, so it holds no path and no secret.
/// See docs/formats.md, "Manifest". Sizes are bytes, times UTC, hashes lower-case hexadecimal SHA-256.
/// </summary>
public sealed record Manifest
{
    /// <summary>The highest format that this code reads. It writes the lowest that can say what there is to say: <see cref="WithFormat"/>.</summary>
    public const int CurrentFormat = 2;

    /// <summary>A head stays a head: more than this is refused unread.</summary>
    public const int MaximumLength = 4096;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Format number; a reader refuses a higher one than it knows.</summary>
    public required int Format { get; init; }

    /// <summary>This backup, in every store it is copied to.</summary>
    public required string Id { get; init; }

    /// <summary>The run that made it.</summary>
    public required string RunId { get; init; }

    /// <summary>What is in it.</summary>
    public required Component Component { get; init; }

    /// <summary>Which one of its component.</summary>
    public required string Name { get; init; }

    /// <summary>Full, incremental or snapshot.</summary>
    public required BackupType Type { get; init; }

    /// <summary>The archive's file name, so that a manifest cannot vouch for another file.</summary>
    public required string Archive { get; init; }

    /// <summary>When reading began: the moment the backup stands for.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When the last byte was sealed.</summary>
    public required DateTimeOffset Completed { get; init; }

    /// <summary>The machine that made it.</summary>
    public required string Host { get; init; }

    /// <summary>The program that made it, with its version.</summary>
    public required string Tool { get; init; }

    /// <summary>The codec's name.</summary>
    public required string Codec { get; init; }

    /// <summary>How archive and index are encrypted.</summary>
    public required Encryption Encryption { get; init; }

    /// <summary>Entries in the archive.</summary>
    public required long Entries { get; init; }

    /// <summary>Entries that changed while they were read.</summary>
    public long Changed { get; init; }

    /// <summary>Entries that vanished while they were read.</summary>
    public long Vanished { get; init; }

    /// <summary>Length of the tar.</summary>
    public required long PlainSize { get; init; }

    /// <summary>Length of the archive.</summary>
    public required long Size { get; init; }

    /// <summary>Of the archive.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Length of the index.</summary>
    public required long IndexSize { get; init; }

    /// <summary>Of the index.</summary>
    public required string IndexSha256 { get; init; }

    /// <summary>Of a MongoDB dump; null for everything else.</summary>
    public DumpFacts? MongoDb { get; init; }

    /// <summary>Where it stands in a chain; null for what has none, and in archives of before increments.</summary>
    public ChainFacts? Chain { get; init; }

    /// <summary>Of an increment of files: what it stands on; null for everything else.</summary>
    public IncrementFacts? Increment { get; init; }

    /// <summary>Of a model: SHA-256 over the names and contents of its entries, which no date, owner or mode changes; null for everything else.</summary>
    public string? Content { get; init; }

    /// <summary>The moment that all archives of its run belong to; null where the run was of one component.</summary>
    public DateTimeOffset? PlatformTime { get; init; }

    /// <summary>HMAC-SHA-256 over this manifest without its seals; set under <see cref="Encryption.Passphrase"/>.</summary>
    public string? Hmac { get; init; }

    /// <summary>Detached OpenPGP signature over the same bytes, base64; set when GPG_SIGN_KEY is.</summary>
    public string? Signature { get; init; }

    /// <summary>Reads a manifest. Anything that is not exactly one throws <see cref="JsonException"/>.</summary>
    public static Manifest Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaximumLength)
            throw new JsonException($"A manifest has at most {MaximumLength} bytes, and this has {json.Length}.");
        var manifest = JsonSerializer.Deserialize<Manifest>(json, Json) ?? throw new JsonException("The manifest is null.");
        if (manifest.Format is < 1 or > CurrentFormat)
            throw new JsonException($"The manifest's format is {manifest.Format}; this version reads format {CurrentFormat}.");
        return manifest;
    }

    /// <summary>This manifest with the lowest format number that a reader of all its fields knows.</summary>
    public Manifest WithFormat() => this with { Format = Increment is null && Content is null && PlatformTime is null ? 1 : 2 };

    /// <summary>The bytes that stand in the store.</summary>
    public byte[] ToJson()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        return [.. json, (byte)'\n'];
    }

    /// <summary>The bytes that HMAC and signature cover: the manifest without both.</summary>
    public byte[] ToSealedBytes() => (this with { Hmac = null, Signature = null }).ToJson();

    /// <summary>This manifest with its HMAC under <paramref name="key"/>.</summary>
    public Manifest WithHmac(ReadOnlySpan<byte> key) => this with { Hmac = Convert.ToHexStringLower(HMACSHA256.HashData(key, ToSealedBytes())) };

    /// <summary>Whether the HMAC holds under <paramref name="key"/>; false where there is none.</summary>
    public bool HasHmacOf(ReadOnlySpan<byte> key)
    {
        if (Hmac is not { Length: 64 } hmac || !hmac.All(char.IsAsciiHexDigit))
            return false;
        return CryptographicOperations.FixedTimeEquals(Convert.FromHexString(hmac), HMACSHA256.HashData(key, ToSealedBytes()));
    }
}
