using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Tests;

/// <summary>Made-up entries, so that a test decides what a walk comes upon.</summary>
internal sealed class StubSource(params SourceItem[] items) : IEntrySource
{
    public static readonly SourceItem Root = new StubEntry(new ArchiveEntry { Path = new EntryPath("."), Kind = EntryKind.Directory, Mode = 0x1ED });

    public IEnumerable<SourceItem> Read(CancellationToken token) => items;
}

/// <summary>One made-up entry.</summary>
internal sealed class StubEntry(ArchiveEntry entry, byte[]? content = null, EntryMark mark = EntryMark.None, Exception? fails = null) : SourceEntry
{
    private int _position;

    public override ArchiveEntry Entry { get; } = entry;

    public static StubEntry File(string path, string content, EntryMark mark = EntryMark.None) => File(path, System.Text.Encoding.UTF8.GetBytes(content), mark: mark);

    /// <summary>A file whose header promises <paramref name="length"/> bytes, by default as many as there are.</summary>
    public static StubEntry File(string path, byte[] content, long? length = null, EntryMark mark = EntryMark.None, Exception? fails = null) =>
        new(new ArchiveEntry { Path = new EntryPath(path), Kind = EntryKind.File, Mode = 0x1A4, Size = length ?? content.Length }, content, mark, fails);

    public static StubEntry Link(string path, string target, EntryKind kind = EntryKind.SymbolicLink) =>
        new(new ArchiveEntry { Path = new EntryPath(path), Kind = kind, Mode = 0x1FF, LinkTarget = new EntryPath(target) });

    public static StubEntry Folder(string path, int mode = 0x1ED) => new(new ArchiveEntry { Path = new EntryPath(path), Kind = EntryKind.Directory, Mode = mode });

    public override int Read(Span<byte> buffer)
    {
        if (fails is not null)
            throw fails;
        var read = Math.Min(buffer.Length, (content?.Length ?? 0) - _position);
        content.AsSpan(_position, read).CopyTo(buffer);
        _position += read;
        return read;
    }

    public override EntryMark Finish() => mark;
}
