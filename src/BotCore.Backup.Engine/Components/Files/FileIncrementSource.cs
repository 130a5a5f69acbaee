using System.Buffers;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// Reads of a tree what is not what a backup before has of it. What only may have changed is read and compared by its hash; what shows itself untouched is not opened. Files that have
/// several names are kept with all of them, since a link needs its file in the same archive. The list of deleted paths comes last. See docs/decisions/0028.
/// </summary>
internal sealed class FileIncrementSource(FileTreeScope scope, BotBackup previous, Func<IndexReader> openIndex) : IEntrySource
{
    private readonly HashSet<EntryPath> _kept = [];
    private long _entries;
    private long _bytes;
    private long _deleted;

    /// <inheritdoc/>
    public IEnumerable<SourceItem> Read(CancellationToken token)
    {
        using var index = openIndex();
        using var known = new KnownTree(previous.Id, previous.Taken, index.Read());
        foreach (var item in new FileTreeSource(scope) { Known = known }.Read(token))
        {
            if (item.Path == KnownTree.DeletionList && item is not SourceProblem)
                yield return Reserved(item.Path);
            else if (item is KnownEntry untouched)
                yield return Count(known.Take(untouched.Path)!);
            else if (item is SourceEntry entry)
                yield return Judge(entry, known, token);
            else
                yield return item;
        }

        known.TakeRest();
        _deleted = known.Deleted.Count;
        yield return new DeletionListEntry(known.Deleted);
    }

    /// <inheritdoc/>
    public Manifest Describe(Manifest manifest) => manifest with
    {
        Increment = new IncrementFacts(previous.Manifest!.Increment?.Base ?? previous.Id, previous.Id, _entries, _bytes, _deleted),
    };

    private SourceItem Judge(SourceEntry source, KnownTree known, CancellationToken token)
    {
        var entry = source.Entry;
        var line = known.Take(entry.Path);
        if (line is not null && line.Kind != entry.Kind)
            known.Delete(entry.Path);
        if (entry.Kind == EntryKind.HardLink && !_kept.Contains(entry.LinkTarget))
            return line is not null && IsLike(line, entry) ? Count(line) : Unlinked(entry);
        if (line is not null && entry.Kind != EntryKind.HardLink && IsRoot(entry.Path) is false && IsLike(line, entry) && IsSame(source, line, known, token))
            return Count(line with { State = source.State });
        if (entry.Kind is not (EntryKind.Directory or EntryKind.HardLink) && LinksOf(source) > 1)
            _kept.Add(entry.Path);
        Count(entry.DataLength);
        return source;
    }

    // The root is in every archive: its mode holds for what is unpacked by hand.
    private static bool IsRoot(EntryPath path) => path.Bytes.SequenceEqual("."u8);

    private static bool IsLike(IndexEntry line, ArchiveEntry entry) =>
        line.Kind == entry.Kind && line.Mark == EntryMark.None && string.Equals(line.Digest, EntryDigest.Of(entry), StringComparison.Ordinal);

    // Headers are the same. Who has another inode or another time of change may still have the same content.
    private static bool IsSame(SourceEntry source, IndexEntry line, KnownTree known, CancellationToken token)
    {
        if (source.Entry.Kind == EntryKind.Directory)
            return true;
        var untouched = source.State == line.State;
        // Its names may be what changed.
        if (!untouched && LinksOf(source) > 1)
            return false;
        return source is not FileEntry file || (untouched && !known.IsFresh(line)) || HasContent(file, line.Sha256, token);
    }

    private static uint LinksOf(SourceEntry source) => source switch
    {
        FileEntry file => file.Links,
        HeaderEntry header => header.Links,
        _ => 1,
    };

    private static bool HasContent(FileEntry file, string sha256, CancellationToken token)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 18);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                token.ThrowIfCancellationRequested();
                hash.AppendData(buffer.AsSpan(0, read));
            }

            return string.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), sha256, StringComparison.Ordinal) && file.Finish() == EntryMark.None;
        }
        catch (BackupException)
        {
            // Who seals it meets the same trouble, and tells it.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            file.Rewind();
        }
    }

    private KnownEntry Count(IndexEntry line)
    {
        Count(line.Size);
        return new KnownEntry(line);
    }

    private void Count(long bytes) => (_entries, _bytes) = (_entries + 1, _bytes + bytes);

    private static SourceProblem Reserved(EntryPath path)
    {
        var text = $"'{path}' is the name under which increments keep the list of what was deleted, and a file of that name is in the way.";
        return new SourceProblem(path, EntryMark.None, text, new Failure(FailureKind.ConfigurationInvalid, text, "Remove it, where a restore by hand left it behind; else rename it.", path));
    }

    // Every usual file system changes the time of a node that gets another name, and then the node is kept with it.
    private static SourceProblem Unlinked(ArchiveEntry entry)
    {
        var text = $"'{entry.Path}' has become another name of '{entry.LinkTarget}', and the file system did not change that file's time, so an increment cannot tell what belongs together.";
        return new SourceProblem(entry.Path, EntryMark.None, text, new Failure(FailureKind.SourceUnreachable, text, "Make a full backup.", entry.Path));
    }
}

/// <summary>The paths that are gone, each ended by a NUL, as a file of the archive: <c>xargs -0 rm -rf --</c> takes it.</summary>
internal sealed class DeletionListEntry : SourceEntry
{
    private readonly byte[] _content;
    private int _done;

    public DeletionListEntry(IReadOnlyList<EntryPath> paths)
    {
        _content = new byte[paths.Sum(path => (long)path.Length + 1)];
        var at = 0;
        foreach (var path in paths)
        {
            path.Bytes.CopyTo(_content.AsSpan(at));
            at += path.Length + 1;
        }

        Entry = new ArchiveEntry { Path = KnownTree.DeletionList, Kind = EntryKind.File, Mode = 0x180, Size = _content.Length };
    }

    /// <inheritdoc/>
    public override ArchiveEntry Entry { get; }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var length = Math.Min(buffer.Length, _content.Length - _done);
        _content.AsSpan(_done, length).CopyTo(buffer);
        _done += length;
        return length;
    }

    /// <inheritdoc/>
    public override EntryMark Finish() => EntryMark.None;
}
