using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// Reads back what a restore wrote and compares it with what the archive says: kind, mode, owner, time, attributes, link targets, hard links, and the hash of every file.
/// Keeps about 80 bytes an entry. One thread.
/// </summary>
internal sealed class RestoreProof
{
    // Up to here the written paths are looked up one by one; above, the whole destination is walked, which costs less then.
    private const int MostSelections = 2000;

    private readonly Dictionary<EntryPath, EntryPath> _links = [];
    private readonly Dictionary<UInt128, (UInt128 Exact, UInt128 Lenient)> _expected = [];
    private readonly List<EntryPath> _paths = [];
    private readonly byte[] _buffer = new byte[1 << 18];

    /// <summary>Which attributes are compared.</summary>
    public Func<ExtendedAttribute, bool> Compared { get; init; } = IsCompared;

    /// <summary>Notes that <paramref name="entry"/> was written with content of that hash (<see cref="ContentHash"/>).</summary>
    public void Expect(ArchiveEntry entry, string contentHash)
    {
        if (_paths.Count <= MostSelections)
            _paths.Add(entry.Path);
        if (entry.Kind == EntryKind.HardLink)
        {
            _links[entry.Path] = entry.LinkTarget;
            _expected.Remove(Key(entry.Path));
            return;
        }

        _links.Remove(entry.Path);
        _expected[Key(entry.Path)] = (Digest(entry, contentHash, exact: true), Digest(entry, contentHash, exact: false));
    }

    /// <summary>
    /// Walks <paramref name="destination"/> and throws RestoreMismatch at the first entry that is not what was written. Without <paramref name="exact"/>, for a user or file
    /// system that cannot keep them, owners, modes and attributes are not compared.
    /// </summary>
    public void Demand(EntryPath destination, bool exact, Action<long> moved, CancellationToken token)
    {
        var scope = new FileTreeScope(destination) { Setting = "The restore" };
        if (_paths.Count <= MostSelections)
            scope = scope with { Selections = _paths, Exact = true };
        Demand(new FileTreeSource(scope), destination.ToString(), exact, moved, token);
    }

    /// <summary>The same of what <paramref name="written"/> gives.</summary>
    public void Demand(IEntrySource written, string destination, bool exact, Action<long> moved, CancellationToken token)
    {
        var standing = new Dictionary<EntryPath, EntryPath>();
        var linked = new Dictionary<EntryPath, (UInt128 Exact, UInt128 Lenient)>();
        long done = 0;
        foreach (var item in written.Read(token))
        {
            using (item)
            {
                token.ThrowIfCancellationRequested();
                if (item is SourceEntry source)
                    done += Compare(source, exact, standing, linked, token);
                moved(done);
            }
        }

        foreach (var (link, target) in _links)
        {
            if (!standing.TryGetValue(link, out var one) || one != standing.GetValueOrDefault(target, target))
                throw Mismatch(link, $"is not another name of '{target}'");
        }

        if (_expected.Count > 0)
            throw new BackupException(FailureKind.RestoreMismatch, $"{_expected.Count} of the entries that were written at {destination} cannot be found there again.", "Do not use what was restored; look at the disk, and restore again.", destination);
    }

    private long Compare(SourceEntry source, bool exact, Dictionary<EntryPath, EntryPath> standing, Dictionary<EntryPath, (UInt128 Exact, UInt128 Lenient)> linked, CancellationToken token)
    {
        var entry = source.Entry;
        var isLink = entry.Kind == EntryKind.HardLink;
        var isExpectedLink = _links.ContainsKey(entry.Path);
        if (isLink || isExpectedLink)
            standing[entry.Path] = isLink ? entry.LinkTarget : entry.Path;
        var expected = _expected.Remove(Key(entry.Path), out var value) ? value : ((UInt128, UInt128)?)null;
        if (expected is null && !isExpectedLink)
            return 0;
        if (isExpectedLink && isLink)
            return 0;

        var (found, read) = isLink ? (linked.GetValueOrDefault(entry.LinkTarget), 0) : Read(source, token);
        if (isExpectedLink)
        {
            linked[entry.Path] = found;
            return read;
        }

        if (exact ? found.Exact != expected!.Value.Item1 : found.Lenient != expected!.Value.Item2)
            throw Mismatch(entry.Path, "is not what the archive holds");
        return read;
    }

    private ((UInt128 Exact, UInt128 Lenient) Digests, long Read) Read(SourceEntry source, CancellationToken token)
    {
        var entry = source.Entry;
        using var hash = new ContentHash(entry);
        long total = 0;
        for (int read; (read = source.Read(_buffer)) > 0; total += read)
        {
            token.ThrowIfCancellationRequested();
            hash.Append(_buffer.AsSpan(0, read));
        }

        var content = hash.Finish();
        return ((Digest(entry, content, exact: true), Digest(entry, content, exact: false)), total);
    }

    private UInt128 Digest(ArchiveEntry entry, string content, bool exact)
    {
        // Names of owners are this machine's affair, holes the file system's, and fractions of a second not every file system's.
        var plain = entry with { Path = default, UserName = "", GroupName = "", Sparse = null, Modified = entry.Modified with { Nanoseconds = 0 }, Attributes = exact ? [.. entry.Attributes.Where(Compared)] : [] };
        if (!exact)
            plain = plain with { Mode = 0, UserId = 0, GroupId = 0 };
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(EntryDigest.Of(plain) + content), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private static bool IsCompared(ExtendedAttribute attribute) =>
        attribute.Name.StartsWith("user.", StringComparison.Ordinal) || attribute.Name.StartsWith("system.posix_acl_", StringComparison.Ordinal)
        || string.Equals(attribute.Name, "security.capability", StringComparison.Ordinal);

    private static UInt128 Key(EntryPath path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(path.Bytes, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private static BackupException Mismatch(EntryPath path, string how) => new(
        FailureKind.RestoreMismatch, $"'{path}', read back after the restore, {how}.", "Do not use what was restored; look at the disk, and restore again.", path);
}
