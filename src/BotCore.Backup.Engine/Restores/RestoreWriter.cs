using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.Files;

namespace BotCore.Backup.Engine.Restores;

/// <summary>The second pass of a restore: writes what is asked for, each file under a temporary name until it is whole and has the hash of the index. One thread.</summary>
internal sealed class RestoreWriter(FileTreeWriter tree, RestoreSelection selection) : IEntryVisitor, IDisposable
{
    private ArchiveEntry? _entry;
    private ContentHash? _hash;
    private IFileTarget? _file;
    private long _entries;
    private long _files;
    private long _bytes;

    public RestoreCounts Counts(long overwritten) => new(_entries, _files, new ByteSize(_bytes), overwritten);

    /// <summary>What was written, to be read back.</summary>
    public RestoreProof Proof { get; } = new();

    public bool Begin(ArchiveEntry entry)
    {
        _entry = selection.Take(entry, tree.Exists);
        if (_entry is null)
            return false;
        if (_entry.Kind == EntryKind.File)
            _file = tree.BeginFile(_entry);
        _hash = new ContentHash(_entry);
        return true;
    }

    public void Content(ReadOnlySpan<byte> content)
    {
        _file!.Write(content);
        _hash!.Append(content);
        _bytes += content.Length;
    }

    public void End(ArchiveEntry entry)
    {
        if (_file is null)
        {
            tree.Create(_entry!);
        }
        else
        {
            _file.Commit();
            _file.Dispose();
            _file = null;
            _files++;
        }

        Proof.Expect(_entry!, _hash!.Finish());
        _hash.Dispose();
        _entries++;
    }

    public void Dispose() => Abandon();

    public void Abandon()
    {
        _file?.Dispose();
        _file = null;
        _hash?.Dispose();
        _hash = null;
    }
}
