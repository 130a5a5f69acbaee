using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives;

/// <summary>What a pass over an archive does with its entries. All calls come from one thread, in the archive's order.</summary>
internal interface IEntryVisitor
{
    /// <summary>An entry begins. False where its content is not wanted: it is then read and checked all the same.</summary>
    bool Begin(ArchiveEntry entry);

    /// <summary>The next bytes of the content of the entry that was begun last.</summary>
    void Content(ReadOnlySpan<byte> content);

    /// <summary>The entry is whole, and it is what the index says. Not called for one that was not wanted.</summary>
    void End(ArchiveEntry entry);

    /// <summary>The entry turned out wrong, or the pass was stopped: what was begun is to be undone.</summary>
    void Abandon();
}

/// <summary>What a pass over an archive found.</summary>
/// <param name="Entries">Entries read.</param>
/// <param name="PlainSize">Length of the tar.</param>
/// <param name="EmbeddedId">The id that the archive says is its own; null in archives of other tools.</param>
/// <param name="Root">The folder that the entries came from; empty where the archive does not tell.</param>
internal sealed record UnsealResult(long Entries, long PlainSize, string? EmbeddedId, EntryPath Root);

/// <summary>
/// Store to OpenPGP to members to tar to entries, each hashed and compared with the index: one full pass in constant memory. Archives of ours are decompressed on
/// several threads, member by member as the index has them; foreign ones as the stream they are. Every flaw is a <see cref="BackupException"/>.
/// </summary>
internal sealed class Unsealer(BotBackup backup, ArchiveKeys keys, int threads)
{
    /// <summary>Reads the whole archive from <paramref name="raw"/>.</summary>
    public UnsealResult Read(Stream raw, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        try
        {
            return backup.Manifest is { } manifest ? ReadOurs(raw, manifest, visitor, moved, token) : ReadForeign(raw, visitor, moved, token);
        }
        catch (InvalidDataException damaged)
        {
            throw Corrupt(damaged.Message.TrimEnd('.'), damaged);
        }
    }

    /// <summary>The id in the archive's first header; null where there is none, or where it cannot be read so far.</summary>
    public string? PeekId(CancellationToken token)
    {
        try
        {
            using var stream = backup.Source.OpenRead(backup.Key, 0, token);
            var (_, compressed) = keys.Decrypt(stream, backup.Location);
            using (compressed)
            {
                using var plain = ArchiveKeys.Decompress(compressed, backup.Location, out _);
                using var tar = new TarReader(plain, TarReaderOptions.Foreign);
                tar.MoveNext();
                // What was read is to be believed only once the checksum of its member held, which stands behind it.
                for (var left = ParallelMemberReader.LongestBlock + 1; left > 0;)
                {
                    var read = plain.Read(new byte[Math.Min(left, 1 << 16)]);
                    left = read > 0 ? left - read : 0;
                }

                return ArchiveComment.IdOf(tar.GlobalComment);
            }
        }
        catch (Exception unreadable) when (unreadable is BackupException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>The index as plain lines; its end verifies its own integrity code, nothing more.</summary>
    public IndexReader OpenIndex(CancellationToken token)
    {
        var name = BackupFiles.Index(backup.Key);
        var stream = backup.Source.OpenRead(name, 0, token);
        try
        {
            var (_, compressed) = keys.Decrypt(stream, name);
            return new IndexReader(new OwningStream(ArchiveKeys.Decompress(compressed, name, out _), compressed, stream), name);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private UnsealResult ReadOurs(Stream raw, Manifest manifest, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        var codec = Codecs.ByName(manifest.Codec);
        using var memberLines = OpenIndex(token);
        using var entryLines = OpenIndex(token);
        using var entries = entryLines.Read().GetEnumerator();
        if (!entries.MoveNext() || entries.Current is not IndexHead head)
            throw Corrupt("its index has no head");
        if (!string.Equals(head.Id, manifest.Id, StringComparison.Ordinal))
            throw new BackupException(FailureKind.ManifestMismatch, $"The index beside '{backup.Location}' is that of another backup.", "Copy the right index back from another store.", backup);

        var (encryption, compressed) = keys.Decrypt(raw, backup.Location);
        using (compressed)
        {
            if (encryption != manifest.Encryption)
                throw new BackupException(FailureKind.ManifestMismatch, $"'{backup.Location}' is encrypted otherwise ({encryption}) than its manifest says ({manifest.Encryption}).", "Restore from another copy or an older backup.", backup);
            var members = memberLines.Read().OfType<IndexMember>().Select(member => (member.PackedLength, member.PlainLength));
            using var plain = new ParallelMemberReader(compressed, members, codec, CodecMemory.DecompressingThreads(codec, threads), leaveOpen: true, token: token);
            using var tar = new TarReader(plain, TarReaderOptions.Ours);
            var result = Walk(tar, new ArchiveShape(new ArchiveShapeOptions { CompressedLength = manifest.Size, MaximumRatio = codec.MaximumRatio }), NextEntry(entries), visitor, moved, token);
            if (NextEntry(entries)() is not null)
                throw Corrupt("it holds fewer entries than its index");
            return result with { Root = head.Root };
        }
    }

    private UnsealResult ReadForeign(Stream raw, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        var (_, compressed) = keys.Decrypt(raw, backup.Location);
        using (compressed)
        {
            using var plain = ArchiveKeys.Decompress(compressed, backup.Location, out var ratio);
            using var tar = new TarReader(plain, TarReaderOptions.Foreign);
            var shape = new ArchiveShapeOptions { CompressedLength = backup.Size.Bytes, MaximumRatio = ratio, AllowDuplicates = true };
            return Walk(tar, new ArchiveShape(shape), expected: null, visitor, moved, token);
        }
    }

    private UnsealResult Walk(TarReader tar, ArchiveShape shape, Func<IndexEntry?>? expected, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        var content = new EntryContent(backup.Location);
        long count = 0;
        while (tar.MoveNext())
        {
            token.ThrowIfCancellationRequested();
            var entry = tar.Current;
            shape.Admit(entry);
            var line = expected?.Invoke();
            if (expected is not null && line is null)
                throw Corrupt($"it holds '{entry.Path}', which its index does not");
            content.Read(tar, entry, line, visitor, moved, token);
            count++;
        }

        return new UnsealResult(count, tar.Position, ArchiveComment.IdOf(tar.GlobalComment), default);
    }

    private static Func<IndexEntry?> NextEntry(IEnumerator<IndexRecord> records) => () =>
    {
        while (records.MoveNext())
        {
            if (records.Current is IndexEntry { IsArchived: true } entry)
                return entry;
        }

        return null;
    };

    private BackupException Corrupt(string reason, Exception? cause = null) => new(
        FailureKind.ArchiveCorrupt, $"'{backup.Location}' is damaged: {reason}.", "Restore from another copy or an older backup.", backup, cause);
}
