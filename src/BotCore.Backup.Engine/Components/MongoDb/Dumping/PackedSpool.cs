using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Outside.Spill;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// Where a file of the dump waits, compressed and encrypted, until its size is known. Several lanes fill it at once: a block's place in the file, and so in its hash, is
/// settled when it is added; it is compressed after that, and may reach the disk in any order. Adding is thread-safe, reading is for after.
/// </summary>
internal sealed class PackedSpool(string folder) : IDisposable
{
    // Every lane has a block, and there are more of them than threads that compress.
    private const int LongestBlock = 8 << 20;

    private readonly Lock _gate = new();
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<Member> _members = [];
    private SpillFile? _spill;

    /// <summary>Compresses one block into a buffer that stands until the next call.</summary>
    public delegate ReadOnlySpan<byte> Compressor(ReadOnlySpan<byte> block);

    /// <summary>Bytes of content so far.</summary>
    public long Size { get; private set; }

    /// <summary>Members so far.</summary>
    public int Count => _members.Count;

    /// <summary>Bytes of a block of a lane.</summary>
    public static int BlockSize(ICodec codec, int level) => Math.Min(codec.BlockSize(level), LongestBlock);

    /// <summary>Adds content that stays together, in as many members as it takes, each of <paramref name="blockSize"/> bytes at most.</summary>
    public void Add(ReadOnlySpan<byte> content, int blockSize, Compressor compress)
    {
        int first;
        SpillFile spill;
        lock (_gate)
        {
            spill = _spill ??= new SpillFile(folder);
            first = _members.Count;
            _hash.AppendData(content);
            Size += content.Length;
            for (var left = content.Length; left > 0; left -= blockSize)
                _members.Add(new Member(Math.Min(left, blockSize)));
        }

        for (var number = first; !content.IsEmpty; number++)
        {
            var block = content[..Math.Min(content.Length, blockSize)];
            var packed = compress(block);
            var offset = spill.Append(packed);
            lock (_gate)
                _members[number] = new Member(block.Length) { Packed = packed.Length, Offset = offset };
            content = content[block.Length..];
        }
    }

    /// <summary>The content as an entry of an archive, which takes the spool over.</summary>
    public PackedEntry ToEntry(ArchiveEntry entry, DocumentSet? set) =>
        new SpooledEntry(this, entry with { Size = Size }, Convert.ToHexStringLower(_hash.GetHashAndReset()), set);

    public void Dispose()
    {
        _hash.Dispose();
        _spill?.Dispose();
    }

    private readonly record struct Member(int Plain)
    {
        public int Packed { get; init; }

        public long Offset { get; init; }
    }

    private sealed class SpooledEntry(PackedSpool spool, ArchiveEntry entry, string sha256, DocumentSet? set) : PackedEntry
    {
        public override ArchiveEntry Entry { get; } = entry;

        public override string Sha256 { get; } = sha256;

        public override DocumentSet? Set { get; } = set;

        public override int Members => spool._members.Count;

        public override (int Packed, int Plain) LengthOf(int number) => (spool._members[number].Packed, spool._members[number].Plain);

        public override void Read(int number, Span<byte> member) => spool._spill!.Read(spool._members[number].Offset, member);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                spool.Dispose();
            base.Dispose(disposing);
        }
    }
}
