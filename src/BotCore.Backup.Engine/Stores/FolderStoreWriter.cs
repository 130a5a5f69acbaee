using System.Security.Cryptography;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Stores;

/// <summary>A new file of a <see cref="FolderStore"/>, under a temporary name until it is committed.</summary>
internal sealed class FolderStoreWriter : StoreWriter
{
    // What lies unwritten in memory at the end is what the last fsync waits for.
    private const long WritingAhead = 16 << 20;
    private const int MostAttempts = 5;

    private readonly FolderStore _store;
    private readonly string _key;
    private readonly string _final;
    private readonly string _partial;
    private readonly FileStream _file;
    private long _written;
    private long _sent;
    private bool _committed;

    public FolderStoreWriter(string root, string key, FolderStore store)
    {
        _store = store;
        _key = key;
        _final = store.Locate(key);
        var folder = System.IO.Path.GetDirectoryName(_final) ?? root;
        _partial = System.IO.Path.Combine(folder, $".{System.IO.Path.GetFileName(_final)}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}{FolderStore.PartialSuffix}");
        try
        {
            _file = Open(folder);
        }
        catch
        {
            store.RemoveEmptyFolders(folder);
            throw;
        }
    }

    // Another run may remove the folder as an empty one between its making and the file's.
    private FileStream Open(string folder)
    {
        for (var attempt = 1; ; attempt++)
        {
            FolderStore.MakeFolders(folder);
            try
            {
                return new FileStream(_partial, PrivateFiles.Options(FileMode.CreateNew, FileAccess.Write));
            }
            catch (DirectoryNotFoundException) when (attempt < MostAttempts)
            {
                // Once more.
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _file.Write(buffer);
            _written += buffer.Length;
            if (_written - _sent < WritingAhead)
                return;
            DurableFile.StartWriting(_file.SafeFileHandle, _sent, _written - _sent);
            _sent = _written;
        }
        catch (IOException wrong)
        {
            throw _store.ToFailure(_key, wrong);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // There is no buffer of our own; durability is Commit's.
    }

    public override void Commit() => _store.Guard(_key, () =>
    {
        var length = RandomAccess.GetLength(_file.SafeFileHandle);
        if (length != _written)
            throw new IOException($"{_written} bytes were written and the file has {length}.");
        DurableFile.Fsync(_file.SafeFileHandle, _partial);
        // The proof that follows is to read the disk, not the memory.
        DurableFile.DropCache(_file.SafeFileHandle);
        DurableFile.RenameNoReplace(_partial, _final);
        _committed = true;
        DurableFile.FsyncDirectory(System.IO.Path.GetDirectoryName(_final)!);
        _file.Dispose();
    });

    protected override void Dispose(bool disposing)
    {
        if (disposing && _file is not null)
        {
            _file.Dispose();
            if (!_committed)
            {
                File.Delete(_partial);
                _store.RemoveEmptyFolders(System.IO.Path.GetDirectoryName(_final)!);
            }
        }

        base.Dispose(disposing);
    }
}
