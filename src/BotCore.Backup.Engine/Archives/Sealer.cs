using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives;

/// <summary>How an archive is to be sealed.</summary>
/// <param name="Id">The backup's id; it stands inside the archive too, so that an archive cannot pass for another.</param>
/// <param name="Root">The folder that entries are relative to, kept in the index.</param>
/// <param name="Codec">The codec.</param>
/// <param name="Level">Its level.</param>
/// <param name="Threads">Threads that compress.</param>
internal sealed record SealOptions(string Id, EntryPath Root, ICodec Codec, int Level, int Threads)
{
    /// <summary>The index's format number: 1 where it names what this archive holds and nothing else.</summary>
    public int Format { get; init; } = 1;
}

/// <summary>What was sealed. Lengths and hashes are those of the bytes handed to the stores.</summary>
internal sealed record SealResult
{
    public required long Entries { get; init; }

    public required long Changed { get; init; }

    public required long Vanished { get; init; }

    public required long PlainSize { get; init; }

    public required long Size { get; init; }

    public required string Sha256 { get; init; }

    public required long IndexSize { get; init; }

    public required string IndexSha256 { get; init; }

    /// <summary>Of names and contents, see <see cref="ContentIdentity"/>.</summary>
    public required string Content { get; init; }

    /// <summary>Files that could not be read: where there is one, the run has failed.</summary>
    public required IReadOnlyList<Failure> Failures { get; init; }
}

/// <summary>
/// Entries to tar to members to OpenPGP to SHA-256 to the store, in one pass and constant memory. The calling thread reads and hashes entries, the codec's threads
/// compress, and one thread encrypts and writes. See docs/formats.md and DESIGN.md section 4.
/// </summary>
internal sealed class Sealer(SealOptions options, IArchiveCipher cipher, Action<BackupEvent> tell)
{
    // An increment may hold next to nothing: its lines of the index would all wait for a member to end.
    private const int MostWaitingLines = 20_000;

    private readonly int _blockSize = options.Codec.BlockSize(options.Level);

    private readonly List<Failure> _failures = [];
    private readonly ContentIdentity _content = new();
    private readonly SealedMembers _members = new();
    private readonly TarHeaderWriter _headers = new();
    private long _entries;
    private long _changed;
    private long _vanished;

    /// <summary>Seals <paramref name="source"/> into both streams, which stay open and uncommitted. <paramref name="moved"/> is told the tar's bytes so far.</summary>
    public SealResult Seal(IEntrySource source, Stream archive, Stream index, Action<long, EntryPath> moved, CancellationToken token)
    {
        using var archiveHash = new HashingStream(archive);
        using var indexHash = new HashingStream(index);
        using var packed = cipher.OpenWriter(archiveHash);
        using var packedIndex = cipher.OpenWriter(indexHash);
        using var lines = new IndexWriter(packedIndex.Stream, options.Codec, options.Level);
        lines.Write(new IndexHead(options.Format, options.Id, options.Root));

        long plain;
        using (var pipeline = new BlockPipeline(options.Codec, options.Level, options.Threads, block => _members.Write(block, packed.Stream, lines), token))
        {
            var tar = new BlockFiller(pipeline, token);
            _headers.WriteGlobalComment(ArchiveComment.Of(options.Id), tar);
            foreach (var item in source.Read(token))
            {
                using (item)
                {
                    token.ThrowIfCancellationRequested();
                    if (item is SourceEntry entry)
                        Add(entry, tar);
                    else if (item is PackedEntry packedEntry)
                        Add(packedEntry, tar);
                    else if (item is KnownEntry known)
                        Add(known, tar);
                    else
                        Note((SourceProblem)item, tar);
                    moved(tar.Position, item.Path);
                }
            }

            TarHeaderWriter.WriteEnd(tar.Position, tar);
            tar.Flush();
            plain = tar.Position;
            pipeline.Complete();
        }

        packed.Complete();
        lines.Write(new IndexEnd(_entries, plain));
        lines.Complete();
        packedIndex.Complete();
        return new SealResult
        {
            Entries = _entries,
            Changed = _changed,
            Vanished = _vanished,
            PlainSize = plain,
            Size = archiveHash.Count,
            Sha256 = archiveHash.Hash,
            IndexSize = indexHash.Count,
            IndexSha256 = indexHash.Hash,
            Content = _content.Finish(),
            Failures = _failures,
        };
    }

    private void Add(SourceEntry source, BlockFiller tar)
    {
        var entry = source.Entry;
        if (!IsRestorable(entry.Path))
            return;

        // An entry of a block or more begins its own member: restoring it alone then reads nothing else.
        if (entry.DataLength >= _blockSize)
            tar.Flush();
        var (start, skip) = tar.Here;
        _headers.Write(entry, tar);
        var (hash, whole) = entry.Kind == EntryKind.File ? Copy(source, entry.DataLength, tar) : ("", true);
        tar.WriteZeros(TarFormat.Padding(TarHeaderWriter.DataSize(entry)));
        var mark = source.Finish();
        if (!whole)
            mark = EntryMark.Changed;

        _entries++;
        if (mark == EntryMark.Changed)
        {
            _changed++;
            tell(new Warned($"'{entry.Path}' changed while it was read; what the archive holds of it may be of two moments."));
        }

        _content.Add(entry.Path, entry.Kind, entry.Size, hash, entry.LinkTarget);
        tar.Finish(start, skip, new IndexEntry(entry.Path, entry.Kind, entry.Size, hash, EntryDigest.Of(entry), 0, 0, entry.LinkTarget, mark) { Set = source.Set, State = source.State });
    }

    // The header gets a member of its own, and those that were made before follow it as they are.
    private void Add(PackedEntry source, BlockFiller tar)
    {
        var entry = source.Entry;
        if (!IsRestorable(entry.Path))
            return;
        tar.Flush();
        var (start, skip) = tar.Here;
        _headers.Write(entry, tar);
        tar.Flush();
        for (var number = 0; number < source.Members; number++)
            tar.WritePacked(source, number);
        tar.WriteZeros(TarFormat.Padding(entry.Size));
        _entries++;
        tar.Finish(start, skip, new IndexEntry(entry.Path, entry.Kind, entry.Size, source.Sha256, EntryDigest.Of(entry), 0, 0, entry.LinkTarget, EntryMark.None) { Set = source.Set });
    }

    private void Add(KnownEntry known, BlockFiller tar)
    {
        if (tar.Waiting >= MostWaitingLines)
        {
            // Says once more which archive this is, which no reader minds, and so gives the lines a member to stand behind.
            _headers.WriteGlobalComment(ArchiveComment.Of(options.Id), tar);
            tar.Flush();
        }

        var (start, skip) = tar.Here;
        tar.Finish(start, skip, known.Line with { Member = -1, Skip = 0 });
    }

    private bool IsRestorable(EntryPath path)
    {
        if (path.Length <= EntryPathRules.MaximumPath)
            return true;
        // What no restore would take must not look backed up.
        _failures.Add(new Failure(
            FailureKind.SourceUnreachable, $"The path '{path}' is longer than {EntryPathRules.MaximumPath} bytes, so no restore would take it.", "Move what is in it to a shorter path, or leave the folder out.", path));
        return false;
    }

    // The header has promised a length, so exactly that many bytes follow whatever the file does meanwhile: the tar is never broken.
    private (string Hash, bool Whole) Copy(SourceEntry source, long length, BlockFiller tar)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var left = length;
        var whole = true;
        while (left > 0)
        {
            var space = tar.Space((int)Math.Min(left, _blockSize));
            var read = whole ? Fill(source, space, ref whole) : 0;
            if (!whole)
            {
                space[read..].Clear();
                read = space.Length;
            }

            hash.AppendData(space[..read]);
            tar.Advance(read);
            left -= read;
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), whole);
    }

    private int Fill(SourceEntry source, Span<byte> space, ref bool whole)
    {
        try
        {
            var read = source.Read(space);
            whole = read > 0;
            return read;
        }
        catch (BackupException unreadable)
        {
            _failures.Add(unreadable.Failure);
            whole = false;
            return 0;
        }
    }

    private void Note(SourceProblem problem, BlockFiller tar)
    {
        if (problem.Failure is not null)
            _failures.Add(problem.Failure);
        else
            tell(new Warned(problem.Text));
        if (problem.Mark != EntryMark.Vanished)
            return;
        _vanished++;
        var (start, skip) = tar.Here;
        tar.Finish(start, skip, new IndexEntry(problem.Path, EntryKind.Unknown, 0, "", "", -1, 0, default, EntryMark.Vanished));
    }
}
