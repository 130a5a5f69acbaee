using System.Text.Json;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// Reads an index line by line from its plain stream (after decryption and decompression), in constant memory. Damage is ArchiveCorrupt. One thread.
/// </summary>
internal sealed class IndexReader(Stream plain, string name) : IDisposable
{
    // A path and a link target of the longest that is restored, each byte written as six characters at worst, fit in.
    private const int LongestLine = 1 << 20;

    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>All records: a head, then members and entries, then an end. Each rule of that order is checked.</summary>
    public IEnumerable<IndexRecord> Read()
    {
        var first = true;
        IndexEnd? end = null;
        long entries = 0;
        while (NextLine() is { } line)
        {
            var record = Parse(line.Span);
            if (first != record is IndexHead || end is not null)
                throw Corrupt("its lines are out of order");
            first = false;
            entries += record is IndexEntry { IsArchived: true } ? 1 : 0;
            end = record as IndexEnd;
            yield return record;
        }

        if (end is null || end.Entries != entries)
            throw Corrupt("it was cut short");
    }

    public void Dispose() => plain.Dispose();

    private ReadOnlyMemory<byte>? NextLine()
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = _buffer.AsMemory(_start, at);
                _start += at + 1;
                return line;
            }

            if (_ended)
                return _end == _start ? null : throw Corrupt("its last line is cut");
            Fill();
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= LongestLine)
                throw Corrupt("one of its lines is longer than any honest one");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read;
        try
        {
            read = plain.Read(_buffer.AsSpan(_end));
        }
        catch (InvalidDataException damaged)
        {
            throw Corrupt(damaged.Message.TrimEnd('.'), damaged);
        }

        _ended = read == 0;
        _end += read;
    }

    private IndexRecord Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref json);
            return Read(document.RootElement);
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or IndexOutOfRangeException)
        {
            throw Corrupt("one of its lines is not a record", malformed);
        }
    }

    private static IndexRecord Read(JsonElement line)
    {
        if (line.TryGetProperty("member"u8, out var offset))
            return new IndexMember(offset.GetInt64(), line.GetProperty("packed"u8).GetInt32(), line.GetProperty("plain"u8).GetInt32());
        if (line.TryGetProperty("kind"u8, out var kind))
        {
            return new IndexEntry(
                PathOf(line, "path"),
                Enum.Parse<EntryKind>(kind.GetString()!),
                line.GetProperty("size"u8).GetInt64(),
                line.TryGetProperty("sha256"u8, out var hash) ? hash.GetString()! : "",
                line.GetProperty("digest"u8).GetString()!,
                line.GetProperty("at"u8).GetInt64(),
                line.GetProperty("skip"u8).GetInt32(),
                PathOf(line, "link"),
                line.TryGetProperty("mark"u8, out var mark) ? Enum.Parse<EntryMark>(mark.GetString()!) : EntryMark.None)
            {
                State = line.TryGetProperty("inode"u8, out var inode) ? new NodeState(inode.GetUInt64(), TimeOf(line.GetProperty("mtime"u8)), TimeOf(line.GetProperty("ctime"u8))) : null,
                In = line.TryGetProperty("in"u8, out var other) ? other.GetString() : null,
                Set = line.TryGetProperty("documents"u8, out var documents) ? new DocumentSet(documents.GetInt64(), line.GetProperty("set"u8).GetString()!) : null,
            };
        }

        return line.TryGetProperty("format"u8, out var format)
            ? new IndexHead(Known(format.GetInt32()), line.GetProperty("id"u8).GetString()!, PathOf(line, "root"))
            : new IndexEnd(line.GetProperty("entries"u8).GetInt64(), line.GetProperty("plainSize"u8).GetInt64());
    }

    private static int Known(int format) => format is >= 1 and <= Manifest.CurrentFormat ? format : throw new FormatException($"Format {format} is of a newer version.");

    private static UnixTime TimeOf(JsonElement time) => new(time[0].GetInt64(), time[1].GetInt32());

    private static EntryPath PathOf(JsonElement line, string name)
    {
        if (line.TryGetProperty(name, out var text))
            return new EntryPath(text.GetString()!);
        return line.TryGetProperty(name + "64", out var bytes) ? new EntryPath(bytes.GetBytesFromBase64()) : default;
    }

    private BackupException Corrupt(string reason, Exception? cause = null) => new(
        FailureKind.ArchiveCorrupt, $"The index {name} cannot be read: {reason}.", "Restore from another copy or an older backup.", name, cause);
}
