using System.Buffers;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Engine.Restores;

/// <summary>The second pass of a restore that goes out as a tar: what is asked for, as it comes. One thread.</summary>
internal sealed class TarVisitor(RestoreSelection selection, RestoreProof proof, string folder) : IEntryVisitor, IDisposable
{
    private readonly TarHeaderWriter _headers = new();
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly EntryPath _folder = new(folder);
    private Stream? _output;
    private ArchiveEntry? _entry;
    private ContentHash? _hash;
    private long _position;
    private long _entries;
    private long _files;
    private long _bytes;

    /// <summary>What was written.</summary>
    public RestoreCounts Counts => new(_entries, _files, new ByteSize(_bytes), 0);

    /// <summary>Whether an entry had an ACL.</summary>
    public bool HasAcls { get; private set; }

    /// <summary>Writes to <paramref name="output"/> from now on.</summary>
    public void Begin(Stream output) => _output = output;

    /// <summary>Ends the tar.</summary>
    public void End()
    {
        TarHeaderWriter.WriteEnd(_position, _buffer);
        Flush();
    }

    public bool Begin(ArchiveEntry entry)
    {
        _entry = selection.Take(entry, _ => false);
        if (_entry is null)
            return false;
        HasAcls |= _entry.Attributes.Any(one => one.Name.StartsWith("system.posix_acl", StringComparison.Ordinal));
        _headers.Write(Placed(_entry), _buffer);
        Flush();
        _hash = new ContentHash(_entry);
        return true;
    }

    public void Content(ReadOnlySpan<byte> content)
    {
        _output!.Write(content);
        _position += content.Length;
        _bytes += content.Length;
        _hash!.Append(content);
    }

    public void End(ArchiveEntry entry)
    {
        var padding = TarFormat.Padding(TarHeaderWriter.DataSize(Placed(_entry!)));
        _buffer.GetSpan(TarFormat.BlockSize)[..padding].Clear();
        _buffer.Advance(padding);
        Flush();
        proof.Expect(_entry!, _hash!.Finish());
        _hash.Dispose();
        _hash = null;
        _entries++;
        if (_entry!.Kind == EntryKind.File)
            _files++;
    }

    public void Abandon() => Dispose();

    public void Dispose()
    {
        _hash?.Dispose();
        _hash = null;
    }

    private ArchiveEntry Placed(ArchiveEntry entry) => _folder.IsEmpty ? entry : entry with
    {
        Path = Placed(entry.Path),
        LinkTarget = entry.Kind == EntryKind.HardLink ? Placed(entry.LinkTarget) : entry.LinkTarget,
    };

    private EntryPath Placed(EntryPath path) => path.Bytes.SequenceEqual("."u8) ? _folder : _folder.Join(path.Bytes);

    private void Flush()
    {
        _output!.Write(_buffer.WrittenSpan);
        _position += _buffer.WrittenCount;
        _buffer.ResetWrittenCount();
    }
}
