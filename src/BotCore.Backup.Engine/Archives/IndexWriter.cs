using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Archives;

/// <summary>Writes an index: JSON lines, compressed member by member, into a stream that encrypts and stores. One thread.</summary>
internal sealed class IndexWriter : IDisposable
{
    private const int BlockSize = 1 << 20;

    private readonly Stream _packed;
    private readonly IBlockCompressor _compressor;
    private readonly byte[] _member;
    private readonly ArrayBufferWriter<byte> _lines = new(BlockSize + (1 << 16));
    private readonly Utf8JsonWriter _json;

    public IndexWriter(Stream packed, ICodec codec, int level)
    {
        _packed = packed;
        _compressor = codec.CreateCompressor(level);
        _member = new byte[_compressor.MaximumLength(BlockSize)];
        _json = new Utf8JsonWriter(_lines, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    public void Write(IndexRecord record)
    {
        _json.WriteStartObject();
        switch (record)
        {
            case IndexEntry entry:
                WriteEntry(entry);
                break;
            case IndexMember member:
                _json.WriteNumber("member"u8, member.Offset);
                _json.WriteNumber("packed"u8, member.PackedLength);
                _json.WriteNumber("plain"u8, member.PlainLength);
                break;
            case IndexHead head:
                _json.WriteNumber("format"u8, head.Format);
                _json.WriteString("id"u8, head.Id);
                WritePath("root", head.Root);
                break;
            case IndexEnd end:
                _json.WriteNumber("entries"u8, end.Entries);
                _json.WriteNumber("plainSize"u8, end.PlainSize);
                break;
            default:
                throw new ArgumentException($"No line for {record.GetType().Name}.", nameof(record));
        }

        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        _lines.Write("\n"u8);
        while (_lines.WrittenCount >= BlockSize)
            Pack();
    }

    /// <summary>Writes what is left. The stream beneath is the caller's to complete.</summary>
    public void Complete()
    {
        while (_lines.WrittenCount > 0)
            Pack();
    }

    public void Dispose()
    {
        _json.Dispose();
        _compressor.Dispose();
    }

    private void WriteEntry(IndexEntry entry)
    {
        WritePath("path", entry.Path);
        _json.WriteString("kind"u8, entry.Kind.ToString());
        _json.WriteNumber("size"u8, entry.Size);
        if (entry.Sha256.Length > 0)
            _json.WriteString("sha256"u8, entry.Sha256);
        _json.WriteString("digest"u8, entry.Digest);
        _json.WriteNumber("at"u8, entry.Member);
        _json.WriteNumber("skip"u8, entry.Skip);
        if (!entry.LinkTarget.IsEmpty)
            WritePath("link", entry.LinkTarget);
        if (entry.Set is { } set)
        {
            _json.WriteNumber("documents"u8, set.Documents);
            _json.WriteString("set"u8, set.Hash);
        }

        if (entry.State is { } state)
        {
            _json.WriteNumber("inode"u8, state.Inode);
            WriteTime("mtime"u8, state.Modified);
            WriteTime("ctime"u8, state.Changed);
        }

        if (entry.In is { } other)
            _json.WriteString("in"u8, other);
        if (entry.Mark != EntryMark.None)
            _json.WriteString("mark"u8, entry.Mark.ToString());
    }

    private void WriteTime(ReadOnlySpan<byte> name, UnixTime time)
    {
        _json.WriteStartArray(name);
        _json.WriteNumberValue(time.Seconds);
        _json.WriteNumberValue(time.Nanoseconds);
        _json.WriteEndArray();
    }

    // JSON is text and paths are bytes: what is not UTF-8 goes in as base64 under another name.
    private void WritePath(string name, EntryPath path)
    {
        if (path.IsUtf8)
            _json.WriteString(name, path.Bytes);
        else
            _json.WriteBase64String(name + "64", path.Bytes);
    }

    private void Pack()
    {
        var block = _lines.WrittenSpan;
        var now = Math.Min(block.Length, BlockSize);
        var length = _compressor.Compress(block[..now], _member);
        _packed.Write(_member.AsSpan(0, length));
        var rest = block[now..].ToArray();
        _lines.ResetWrittenCount();
        _lines.Write(rest);
    }
}
