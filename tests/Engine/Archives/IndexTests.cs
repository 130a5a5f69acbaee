using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

public sealed class IndexTests
{
    private static readonly Gen<EntryPath> Paths = Gen.Choose(1, 40).SelectMany(length => Gen.Frequency(
        (3, Gen.Choose(1, 255)),
        (1, Gen.Elements((int)'\n', '"', '\\', 0x7F, 0xC3, 0xA4, 0xFF, '<'))).ArrayOf(length)).Select(bytes => new EntryPath([.. bytes.Select(value => (byte)value)]));

    private static readonly Gen<IndexRecord> Records = Gen.OneOf(
        from offset in Gen.Choose(0, int.MaxValue)
        from packed in Gen.Choose(1, 1 << 20)
        select (IndexRecord)new IndexMember((long)offset << 8, packed, packed),
        from path in Paths
        from target in Paths
        from kind in Gen.Elements(Enum.GetValues<EntryKind>())
        from mark in Gen.Elements(Enum.GetValues<EntryMark>())
        from hash in Gen.Elements("", new string('a', 64))
        from member in Gen.Choose(-1, int.MaxValue)
        select (IndexRecord)new IndexEntry(path, kind, (long)member << 4, hash, "d", member, member & 0xFFFF, kind == EntryKind.SymbolicLink ? target : default, mark)
        {
            Set = member % 3 == 0 ? new DocumentSet(member, new string('0', 64)) : null,
            State = member % 2 == 0 ? new NodeState(ulong.MaxValue - (ulong)(member & 0xFF), new UnixTime(-member, Math.Abs(member % 1_000_000_000)), new UnixTime(member, 0)) : null,
            In = member == -1 ? "0123456789abcdef" : null,
        });

    [Fact]
    public void What_was_written_is_read() => Prop.ForAll(Records.ListOf().ToArbitrary(), Paths.ToArbitrary(), (records, root) =>
    {
        var all = Index([.. records], root);
        return all.SequenceEqual(Read(Pack(all)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void More_than_one_block_of_lines_is_read_too()
    {
        var long1 = new EntryPath(Enumerable.Repeat((byte)0xFE, 4000).ToArray());
        var all = Index([.. Enumerable.Range(0, 600).Select(i => (IndexRecord)new IndexEntry(long1, EntryKind.File, i, "", "d", i, 0, long1, EntryMark.None))], long1);

        Assert.True(all.SequenceEqual(Read(Pack(all))));
    }

    [Fact]
    public void An_index_that_lost_or_changed_the_order_of_its_lines_is_ArchiveCorrupt()
    {
        var head = new IndexHead(1, "id", new EntryPath("/x"));
        var entry = new IndexEntry(new EntryPath("a"), EntryKind.File, 1, "", "d", 0, 0, default, EntryMark.None);
        var end = new IndexEnd(1, 10);
        foreach (var lines in new IndexRecord[][] { [], [head], [head, entry], [entry, end], [head, head, entry, end], [head, entry, end, entry], [head, end], [head, entry, entry, end], [end], [head, entry, end, end] })
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => Read(Pack(lines))).Failure.Kind);
    }

    [Fact]
    public void A_line_without_end_is_refused_before_it_fills_the_memory()
    {
        using var reader = new IndexReader(new MemoryStream(Enumerable.Repeat((byte)'x', 3 << 20).ToArray()), "test");

        Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => reader.Read().ToList()).Failure.Kind);
    }

    [Fact]
    public void Bytes_that_are_no_index_throw_ArchiveCorrupt_and_nothing_else()
    {
        var random = new Random(11);
        var sample = Index([.. Records.Sample(20, 30)], new EntryPath("/project"));
        using var gzip = Codecs.Gzip.OpenReader(new MemoryStream(Pack(sample)), leaveOpen: false);
        using var copy = new MemoryStream();
        gzip.CopyTo(copy);
        for (var i = 0; i < 3000; i++)
        {
            // Both what is packed and the lines within.
            var bytes = i % 2 == 0 ? Pack(sample) : copy.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = i % 3 == 0 ? (byte)"0129-\"\\{}[],:.eE"[random.Next(16)] : (byte)random.Next(256);
            try
            {
                using var reader = new IndexReader(i % 2 == 0 ? Codecs.Gzip.OpenReader(new MemoryStream(bytes), leaveOpen: false) : new MemoryStream(bytes), "test");
                _ = reader.Read().Count();
            }
            catch (BackupException corrupt) when (corrupt.Failure.Kind == FailureKind.ArchiveCorrupt)
            {
                // As it should be.
            }
        }
    }

    [Fact]
    public void Names_that_are_not_utf8_are_written_as_base64()
    {
        using var gzip = Codecs.Gzip.OpenReader(new MemoryStream(Pack(Index([], new EntryPath([0xFF])))), leaveOpen: false);
        using var text = new StreamReader(gzip, Encoding.UTF8);

        Assert.Contains("\"root64\":\"/w==\"", text.ReadToEnd(), StringComparison.Ordinal);
    }

    private static IndexRecord[] Index(IndexRecord[] records, EntryPath root) =>
        [new IndexHead(1, "0011223344556677", root), .. records, new IndexEnd(records.Count(record => record is IndexEntry { IsArchived: true }), 12345)];

    private static byte[] Pack(IndexRecord[] records)
    {
        using var packed = new MemoryStream();
        using (var writer = new IndexWriter(packed, Codecs.Gzip, 6))
        {
            foreach (var record in records)
                writer.Write(record);
            writer.Complete();
        }

        return packed.ToArray();
    }

    private static List<IndexRecord> Read(byte[] packed)
    {
        using var reader = new IndexReader(Codecs.Gzip.OpenReader(new MemoryStream(packed), leaveOpen: false), "test");
        return [.. reader.Read()];
    }
}
