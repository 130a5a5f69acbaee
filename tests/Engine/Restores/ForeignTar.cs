using System.Buffers;
using System.IO.Compression;
using BotCore.Backup.Engine.Archives.Tar;

namespace BotCore.Backup.Engine.Tests.Restores;

/// <summary>A tar made entry by entry, honest or not, and its gzip.</summary>
internal sealed class ForeignTar
{
    private readonly ArrayBufferWriter<byte> _tar = new();
    private readonly TarHeaderWriter _headers = new();

    public ForeignTar Add(StubEntry source, byte[]? content = null)
    {
        _headers.Write(source.Entry, _tar);
        _tar.Write(content ?? []);
        var padding = TarFormat.Padding(content?.Length ?? 0);
        _tar.GetSpan(512)[..padding].Clear();
        _tar.Advance(padding);
        return this;
    }

    public ForeignTar AddFile(string path, string content) => AddFile(path, System.Text.Encoding.UTF8.GetBytes(content));

    public ForeignTar AddFile(string path, byte[] content) => Add(StubEntry.File(path, content), content);

    public ForeignTar AddRaw(ReadOnlySpan<byte> bytes)
    {
        _tar.Write(bytes);
        return this;
    }

    public byte[] Pack()
    {
        TarHeaderWriter.WriteEnd(_tar.WrittenCount, _tar);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(_tar.WrittenSpan);
        return packed.ToArray();
    }
}
