using System.Diagnostics;
using System.IO.Compression;
using System.Numerics;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

public sealed class DumpPartsTests
{
    private static readonly Arbitrary<int> Seeds = Arb.From(Gen.Choose(0, int.MaxValue));

    [Fact]
    public void Crc_is_that_of_xz()
    {
        Assert.Equal(0x995D_C9BB_DF19_39FAUL, Crc64Xz.Append(0, "123456789"u8));
        var bytes = RandomNumberGenerator.GetBytes(1000);
        for (var cut = 0; cut <= 20; cut++)
            Assert.Equal(Crc64Xz.Append(0, bytes), Crc64Xz.Append(Crc64Xz.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
    }

    [Fact]
    public void Documents_come_out_whole_however_they_are_cut() =>
        Prop.ForAll(Seeds, seed =>
        {
            var random = new Random(seed);
            var documents = Enumerable.Range(0, random.Next(20)).Select(_ => Document(random.Next(10) == 0 ? random.Next(100_000) : random.Next(30))).ToList();
            var bytes = documents.SelectMany(document => document).ToArray();
            var found = new List<byte[]>();
            var splitter = new DocumentSplitter("x", DocumentSplitter.LongestDocument, document => found.Add(document.ToArray()));
            for (var at = 0; at < bytes.Length;)
            {
                var length = Math.Min(bytes.Length - at, random.Next(4) == 0 ? random.Next(20_000) : random.Next(12));
                splitter.Write(bytes.AsSpan(at, length));
                at += length;
            }

            splitter.Complete();
            return splitter.Count == documents.Count && splitter.Offset == bytes.Length && found.Zip(documents).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Documents_may_have_16_MiB_and_no_byte_more()
    {
        var most = Document(DocumentSplitter.LongestDocument - 13);
        Assert.Equal(DocumentSplitter.LongestDocument, most.Length);
        var count = 0;
        new DocumentSplitter("x", DocumentSplitter.LongestDocument, _ => count++).Write(most);
        Assert.Equal(1, count);

        var over = Document(DocumentSplitter.LongestDocument - 12);
        Assert.Throws<BackupException>(() => new DocumentSplitter("x", DocumentSplitter.LongestDocument, _ => { }).Write(over));
        new DocumentSplitter("x", DocumentSplitter.LongestOplogEntry, _ => count++).Write(over);
        Assert.Equal(2, count);
    }

    [Fact]
    public void A_cut_names_the_byte()
    {
        byte[] bytes = [.. Document(1), .. Document(1)];
        for (var length = 1; length < bytes.Length; length++)
        {
            var splitter = new DocumentSplitter("db/c.bson", DocumentSplitter.LongestDocument, _ => { });
            splitter.Write(bytes.AsSpan(0, length));
            if (length == bytes.Length / 2)
            {
                splitter.Complete();
                continue;
            }

            var failure = Assert.Throws<BackupException>(splitter.Complete).Failure;
            Assert.Equal(FailureKind.ArchiveCorrupt, failure.Kind);
            Assert.Contains($"at byte {(length > bytes.Length / 2 ? bytes.Length / 2 : 0)},", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_set_hash_is_the_sum() =>
        Prop.ForAll(Seeds, seed =>
        {
            var random = new Random(seed);
            var documents = Enumerable.Range(0, 40).Select(_ => Document(random.Next(3))).ToList();
            var expected = documents.Aggregate(BigInteger.Zero, (sum, document) => sum + new BigInteger(SHA256.HashData(document), isUnsigned: true, isBigEndian: true));
            var (one, other, shuffled) = (new DocumentSetHash(), new DocumentSetHash(), new DocumentSetHash());
            for (var i = 0; i < documents.Count; i++)
                (i < 17 ? one : other).Add(documents[i]);
            foreach (var document in documents.Shuffle())
                shuffled.Add(document);
            one.Merge(other);
            var modulo = expected % BigInteger.Pow(2, 256);
            return one.Matches(shuffled) && one.Count == 40 && one.Bytes == documents.Sum(document => (long)document.Length)
                && BigInteger.Parse("0" + one, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture) == modulo;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Two_copies_do_not_cancel_out()
    {
        var hash = new DocumentSetHash();
        hash.Add(Document(1));
        hash.Add(Document(1));
        Assert.NotEqual(new DocumentSetHash().ToString(), hash.ToString(), StringComparer.Ordinal);
        Assert.Equal(new string('0', 64), new DocumentSetHash().ToString());
    }

    [Fact]
    public void Gzip_and_documents_are_told_apart_even_where_both_begin_alike()
    {
        // A document of just that length, whose first four bytes are those of gzip data without flags.
        var alike = Document(GzipDetection.Ambiguous - 13);
        Assert.Equal([0x1F, 0x8B, 0x08, 0x00], alike[..4]);
        Assert.Equal(alike, Through(alike, out var isGzip));
        Assert.False(isGzip);

        // Gzip data whose time makes its fifth byte a type.
        var gzip = Gzip(alike);
        gzip[4] = 0x10;
        Assert.Equal(alike, Through(gzip, out isGzip));
        Assert.True(isGzip);

        // The same, and long enough that the document must be tried.
        var random = new byte[700_000];
        new Random(1).NextBytes(random);
        gzip = Gzip(random);
        gzip[4] = 0x02;
        Assert.Equal(random, Through(gzip, out isGzip));
        Assert.True(isGzip);
    }

    [Theory]
    [InlineData(new byte[0], true, false)]
    [InlineData(new byte[] { 0x1F, 0x8B }, true, true)]
    [InlineData(new byte[] { 0x1F, 0x8B }, false, null)]
    [InlineData(new byte[] { 5, 0, 0, 0, 0 }, false, false)]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 0 }, false, true)]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 8, 7 }, false, true)]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 7 }, false, null)]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 7 }, true, true)]
    [InlineData(new byte[] { 0x1F, 0x8B, 7, 0, 7 }, false, false)]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0xE0, 7 }, false, false)]
    public void Few_bytes_tell_what_they_can(byte[] head, bool ended, bool? isGzip) => Assert.Equal(isGzip, GzipDetection.IsGzip(head, ended));

    [Fact]
    public void Content_passes_in_any_pieces() =>
        Prop.ForAll(Seeds, seed =>
        {
            var random = new Random(seed);
            // One document at least: of nothing, GZipStream makes nothing, and that is no gzip data.
            var bytes = Enumerable.Range(0, random.Next(1, 2000)).SelectMany(_ => Document(random.Next(900))).ToArray();
            return Through(bytes, out _, random).AsSpan().SequenceEqual(bytes) && Through(Gzip(bytes), out var isGzip, random).AsSpan().SequenceEqual(bytes) && isGzip;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    [Fact]
    public void Leaving_in_the_middle_ends_the_thread()
    {
        var bytes = new byte[20_000_000];
        new Random(1).NextBytes(bytes);
        var gzip = Gzip(bytes);
        var delivered = 0L;
        using (var content = new GzipContent("x", mustBeGzip: true, piece => Interlocked.Add(ref delivered, piece.Length)))
            content.Write(gzip.AsSpan(0, gzip.Length / 2));
        Assert.InRange(delivered, 0, bytes.Length / 2);
    }

    [Fact]
    public void A_failed_delivery_stops_every_later_write()
    {
        var bytes = new byte[20_000_000];
        new Random(1).NextBytes(bytes);
        var gzip = Gzip(bytes);
        using var content = new GzipContent("x", mustBeGzip: true, _ => throw new NotSupportedException());
        Assert.Throws<NotSupportedException>(() => content.Write(gzip));
        Assert.Throws<NotSupportedException>(() => content.Write(gzip));
        Assert.Throws<NotSupportedException>(content.Complete);
        Assert.Throws<NotSupportedException>(content.Complete);
    }

    [Fact]
    public void Crc_is_fast_enough()
    {
        var bytes = RandomNumberGenerator.GetBytes(8_000_000);
        // The best of some, and a bound far below what it does, so that a busy machine passes.
        var best = 0.0;
        for (var i = 0; i < 10; i++)
        {
            var watch = Stopwatch.StartNew();
            Crc64Xz.Append(0, bytes);
            best = Math.Max(best, bytes.Length / watch.Elapsed.TotalSeconds / 1e6);
        }

        Assert.True(best > 100, $"{best:F0} MB/s");
    }

    private static byte[] Through(byte[] bytes, out bool isGzip, Random? random = null)
    {
        using var whole = new MemoryStream();
        using var content = new GzipContent("x", mustBeGzip: false, piece => whole.Write(piece));
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, random is null ? 1000 : random.Next(4) == 0 ? random.Next(300_000) : random.Next(10));
            content.Write(bytes.AsSpan(at, length));
            at += length;
        }

        content.Complete();
        isGzip = content.IsGzip;
        return whole.ToArray();
    }

    private static byte[] Document(int payload) => new BsonBuilder(payload + 32).AppendBinary("a", new byte[payload]).ToBson().Span.ToArray();

    private static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return memory.ToArray();
    }
}
