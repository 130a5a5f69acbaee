using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Tests.Compression;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

/// <summary>Entries that were compressed before the archive took them: in the archive they are files like all others.</summary>
public sealed class PackedEntryTests
{
    private const int Block = Samples.BlockSize;

    /// <summary>Lengths of packed entries, around the edges of a tar's record and of a member.</summary>
    public static TheoryData<int[]> Lengths =>
    [
        [0],
        [1],
        [512],
        [511, 513],
        [0, 0, 1],
        [Block],
        [Block - 1, Block + 1],
        [(2 * Block) + 512, 0, (3 * Block) + 100],
        [5, Block, 0, 1024, Block + 512, 7],
    ];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void An_archive_with_them_proves_and_comes_back(int[] lengths)
    {
        using var place = new Workplace();
        var (backup, contents) = Seal(place, lengths);

        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        place.Restore(backup);

        Assert.Equal(contents.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(place.Destination).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.All(contents, one => Assert.Equal(Hash(one.Value), Hash(File.ReadAllBytes(Path.Combine(place.Destination, one.Key)))));
    }

    [ToolTheory("gpg", "tar")]
    [MemberData(nameof(Lengths))]
    public void Stock_tools_list_and_unpack_it(int[] lengths)
    {
        using var place = new Workplace();
        var (backup, contents) = Seal(place, lengths);
        var tar = Path.Combine(place.Root, "plain.tar.gz");
        Shell.Run("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase-file", Path.Combine(place.Root, "passphrase-0"), "-o", tar, "-d", backup.Location);

        Shell.Run("gzip", "-t", tar);
        var listed = Shell.Run("tar", "tzvf", tar).Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(line => line[0][0] == '-').Select(line => $"{line[^1]} {line[2]}");
        Assert.Equal(contents.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} {one.Value.Length}")), listed, StringComparer.Ordinal);
        var folder = Directory.CreateDirectory(Path.Combine(place.Root, "unpacked")).FullName;
        Shell.Run("tar", "xzf", tar, "-C", folder);
        Assert.All(contents, one => Assert.Equal(Hash(one.Value), Hash(File.ReadAllBytes(Path.Combine(folder, one.Key)))));
        // A reader that knows nothing of blocking sees the end where the tar has it.
        using var plain = new GZipStream(File.OpenRead(tar), CompressionMode.Decompress);
        using var reader = new TarReader(plain);
        var seen = 0;
        while (reader.GetNextEntry() is { } entry)
            seen += entry.EntryType is TarEntryType.RegularFile ? 1 : 0;
        Assert.Equal(contents.Count, seen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_of_them_or_a_neighbour_comes_back_alone(bool encrypted)
    {
        using var place = new Workplace(encrypted);
        var (backup, contents) = Seal(place, [5, Block + 1, 0, (5 * Block) + 512, 1024]);
        foreach (var (name, content) in contents)
        {
            var folder = Path.Combine(place.Root, "alone-" + name);
            var restored = place.Restore(backup, new RestoreRequest { Include = [name], Destination = folder });

            Assert.True(restored.Partial);
            Assert.Equal(name, Path.GetFileName(Assert.Single(Directory.EnumerateFiles(folder))));
            Assert.Equal(Hash(content), Hash(File.ReadAllBytes(Path.Combine(folder, name))));
        }
    }

    [Fact]
    public void A_flaw_in_one_is_found_by_the_proof_and_does_not_touch_its_neighbours()
    {
        using var place = new Workplace(encrypted: false);
        var (backup, _) = Seal(place, [1000, 4 * Block, 1000]);
        var bytes = File.ReadAllBytes(backup.Location);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(backup.Location, bytes);

        Assert.Equal(Outcome.Failed, place.Prove(backup).Outcome);
        place.Restore(backup, new RestoreRequest { Include = ["packed-2", "between-2"] });
        Assert.Equal(FailureKind.ArchiveCorrupt, Workplace.Failure(place.RunRestore(backup, new RestoreRequest { Include = ["packed-1"], Destination = Path.Combine(place.Root, "damaged") })).Kind);
    }

    [Fact]
    public void Several_lanes_that_fill_one_spool_at_once_leave_every_piece_whole()
    {
        using var place = new Workplace();
        var spool = new PackedSpool(place.Root);
        var threads = Enumerable.Range(0, 4).Select(lane => new Thread(() =>
        {
            using var filler = new SpoolLane(Codecs.Gzip, 1);
            for (var number = 0; number < 400; number++)
                filler.Add(spool, Piece(lane, number));
            filler.Flush(spool);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        var entry = spool.ToEntry(new ArchiveEntry { Path = new EntryPath("pieces"), Kind = EntryKind.File, Mode = 0x1A4 }, set: null);

        var backup = place.BackUp(new StubSource(StubSource.Root, entry));
        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        place.Restore(backup);

        var content = File.ReadAllBytes(Path.Combine(place.Destination, "pieces"));
        var found = new List<(int, int)>();
        for (var at = 0; at < content.Length; at += BitConverter.ToInt32(content, at))
        {
            var (lane, number) = (BitConverter.ToInt32(content, at + 4), BitConverter.ToInt32(content, at + 8));
            Assert.Equal(Piece(lane, number), content[at..(at + BitConverter.ToInt32(content, at))]);
            found.Add((lane, number));
        }

        found.Sort();
        Assert.Equal(Enumerable.Range(0, 4).SelectMany(lane => Enumerable.Range(0, 400).Select(number => (lane, number))), found);
    }

    /// <summary>Small files, and between them packed ones of these lengths; with what each file holds, in the archive's order.</summary>
    private static (BotBackup Backup, Dictionary<string, byte[]> Contents) Seal(Workplace place, int[] lengths)
    {
        var contents = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["first"] = "before all"u8.ToArray() };
        var items = new List<SourceItem> { StubSource.Root, StubEntry.File("first", contents["first"]) };
        var random = new Random(lengths.Sum());
        for (var at = 0; at < lengths.Length; at++)
        {
            var content = new byte[lengths[at]];
            // Noise does not compress, so that members have lengths of many kinds; the last third does.
            random.NextBytes(content.AsSpan(0, content.Length * 2 / 3));
            contents.Add($"packed-{at}", content);
            items.Add(Packed($"packed-{at}", content, place.Root));
            var between = at % 3 == 1 ? [] : new byte[random.Next(1, 3000)];
            contents.Add($"between-{at}", between);
            items.Add(StubEntry.File($"between-{at}", between));
        }

        return (place.BackUp(new StubSource([.. items])), contents);
    }

    private static PackedEntry Packed(string name, byte[] content, string folder)
    {
        var spool = new PackedSpool(folder);
        using var lane = new SpoolLane(Codecs.Gzip, 1);
        // In pieces that do not fill their blocks.
        foreach (var piece in content.Chunk(300_000))
            lane.Add(spool, piece);
        lane.Flush(spool);
        return spool.ToEntry(new ArchiveEntry { Path = new EntryPath(name), Kind = EntryKind.File, Mode = 0x1A4 }, set: null);
    }

    private static byte[] Piece(int lane, int number)
    {
        var piece = new byte[12 + (number * 37 % 20_000)];
        new Random((lane * 1000) + number).NextBytes(piece);
        BitConverter.TryWriteBytes(piece, piece.Length);
        BitConverter.TryWriteBytes(piece.AsSpan(4), lane);
        BitConverter.TryWriteBytes(piece.AsSpan(8), number);
        return piece;
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
