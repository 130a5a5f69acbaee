using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>A file that is being restored under a temporary name. Disposed without <see cref="Commit"/> it leaves no trace.</summary>
internal interface IFileTarget : IDisposable
{
    /// <summary>
    /// Takes the next bytes of content; of a sparse file its runs, one after the other. Throws <see cref="BackupException"/>
    /// when they cannot be written or are more than declared.
    /// </summary>
    void Write(ReadOnlySpan<byte> content);

    /// <summary>
    /// Gives the file its owner, mode, attributes and time and then its name, replacing what had it. Throws
    /// <see cref="BackupException"/>, also when bytes are missing.
    /// </summary>
    void Commit();
}

/// <inheritdoc cref="IFileTarget"/>
internal sealed class FileTarget : IFileTarget
{
    private readonly ArchiveEntry _entry;
    private readonly IReadOnlyList<SparseRun> _runs;
    private readonly Action<NodeHandle, ArchiveEntry> _finish;
    private readonly byte[] _temporary = TemporaryName();
    private readonly int _folder;
    private int _descriptor;
    private int _run;
    private long _done;
    private bool _named;

    /// <summary>Makes the temporary file in <paramref name="folder"/>, of which it keeps a descriptor of its own.</summary>
    /// <param name="folder">The open folder.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="finish">Gives the written file what its entry says.</param>
    public FileTarget(int folder, ArchiveEntry entry, Action<NodeHandle, ArchiveEntry> finish)
    {
        _entry = entry;
        _runs = entry.Sparse ?? [new SparseRun(0, entry.Size)];
        _finish = finish;
        _folder = Syscalls.Duplicate(folder);
        if (_folder < 0)
            throw WriteFailure.Exception(-_folder, entry.Path, "made");
        _descriptor = Syscalls.Open(_folder, _temporary, Syscalls.OpenNew | Syscalls.OpenNoFollow | Syscalls.CloseOnExec, 0x180);
        if (_descriptor >= 0)
            return;
        _ = Syscalls.Close(_folder);
        throw WriteFailure.Exception(-_descriptor, entry.Path, "made");
    }

    /// <summary>A name that nobody else has: <c>.botbackup-</c> and 16 random hexadecimal digits, with a NUL.</summary>
    public static byte[] TemporaryName() => Encoding.ASCII.GetBytes($".botbackup-{RandomNumberGenerator.GetHexString(16, lowercase: true)}\0");

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> content)
    {
        ObjectDisposedException.ThrowIf(_descriptor < 0, this);
        while (!content.IsEmpty)
        {
            SkipDoneRuns();
            if (_run == _runs.Count)
                throw Mismatch("more");
            var run = _runs[_run];
            var part = content[..(int)Math.Min(content.Length, run.Length - _done)];
            var written = Syscalls.Write(_descriptor, part, run.Offset + _done);
            if (written <= 0)
                throw WriteFailure.Exception(written < 0 ? -written : Errno.EIO, _entry.Path, "written");
            _done += written;
            content = content[written..];
        }
    }

    /// <inheritdoc/>
    public void Commit()
    {
        ObjectDisposedException.ThrowIf(_descriptor < 0, this);
        SkipDoneRuns();
        if (_run < _runs.Count)
            throw Mismatch("fewer");
        if (_entry.Sparse is not null)
            Check(Syscalls.SetLength(_descriptor, _entry.Size), "given its length");
        _finish(new NodeHandle(_descriptor, pathOnly: false), _entry);
        Check(Syscalls.Rename(_folder, _temporary, _folder, FolderChain.NameOf(_entry.Path)), "given its name");
        _named = true;
        Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_descriptor < 0)
            return;
        if (!_named)
            _ = Syscalls.Unlink(_folder, _temporary);
        _ = Syscalls.Close(_descriptor);
        _ = Syscalls.Close(_folder);
        _descriptor = -1;
    }

    private void SkipDoneRuns()
    {
        while (_run < _runs.Count && _done == _runs[_run].Length)
            (_run, _done) = (_run + 1, 0);
    }

    private void Check(int result, string doing)
    {
        if (result < 0)
            throw WriteFailure.Exception(-result, _entry.Path, doing);
    }

    private BackupException Mismatch(string amount) => new(
        FailureKind.RestoreMismatch,
        $"The archive gives {amount} bytes for {_entry.Path} than the {_entry.DataLength} that its header declares.",
        "Test the archive with Test-BotBackup and restore from another copy.",
        _entry.Path);
}
