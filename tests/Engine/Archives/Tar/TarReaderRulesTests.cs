using System.Buffers;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>What the reader takes, and what it refuses.</summary>
public sealed class TarReaderRulesTests
{
    private static readonly byte[] End = new byte[1024];

    [Fact]
    public void An_archive_that_is_cut_anywhere_is_refused()
    {
        var whole = TarSample.Write(new TarSampleGenerator(7).Samples());
        var used = whole.AsSpan().LastIndexOfAnyExcept((byte)0);
        for (var length = 0; length < used; length += 97)
            AssertCorrupt(whole[..length], TarReaderOptions.Ours);
    }

    [Fact]
    public void Only_a_foreign_archive_may_lack_its_end()
    {
        var entry = Header("a", '0');

        AssertCorrupt(entry, TarReaderOptions.Ours, "without its two zero blocks");
        AssertCorrupt([.. entry, .. End[..512]], TarReaderOptions.Ours, "without its two zero blocks");
        Assert.Single(TarSample.Read(entry, TarReaderOptions.Foreign));
        Assert.Single(TarSample.Read([.. entry, .. End[..512]], TarReaderOptions.Foreign));
        Assert.Single(TarSample.Read([.. entry, .. End], TarReaderOptions.Ours));
        AssertCorrupt([], TarReaderOptions.Foreign);
        AssertCorrupt(entry[..511], TarReaderOptions.Foreign, "inside of a header");
        AssertCorrupt([.. entry, .. End[..700]], TarReaderOptions.Foreign, "without its two zero blocks");
    }

    [Fact]
    public void Only_zeros_may_follow_the_end_of_ours_and_what_follows_a_foreign_one_is_drained()
    {
        byte[] more = [.. Header("a", '0'), .. End, .. Header("b", '0'), 1];
        using var stream = new MemoryStream(more);
        using var reader = new TarReader(stream, TarReaderOptions.Foreign);

        AssertCorrupt(more, TarReaderOptions.Ours, "bytes follow the end");
        Assert.True(reader.MoveNext());
        Assert.False(reader.MoveNext());
        Assert.False(reader.MoveNext());
        Assert.Equal(more.Length, stream.Position);
        Assert.Equal(more.Length, reader.Position);
    }

    [Fact]
    public void A_lone_zero_block_hides_nothing()
        => AssertCorrupt([.. Header("a", '0'), .. End[..512], .. Header("b", '0'), .. End], TarReaderOptions.Foreign, "lone zero block");

    [Theory]
    [InlineData("./a", "a")]
    [InlineData("././/a", "a")]
    [InlineData("/a", "/a")]
    [InlineData("../a", "../a")]
    [InlineData("a/./b//c", "a/./b//c")]
    public void Paths_lose_only_a_leading_dot_slash(string name, string path) => Assert.Equal(path, Read(Header(name, '0')).Path.ToString());

    [Theory]
    [InlineData(".", ".")]
    [InlineData("./", ".")]
    [InlineData("././", ".")]
    [InlineData("a/", "a")]
    [InlineData("./a//", "a")]
    [InlineData("/", "/")]
    [InlineData("../", "..")]
    public void Directories_lose_their_slash(string name, string path)
    {
        Assert.Equal(path, Read(Header(name, '5')).Path.ToString());
        if (name.EndsWith('/'))
            Assert.Equal(EntryKind.Directory, Read(Header(name, '\0')).Kind);
    }

    [Fact]
    public void A_contiguous_file_is_a_file() => Assert.Equal(EntryKind.File, Read(Header("a", '7')).Kind);

    [Theory]
    [InlineData('M')]
    [InlineData('N')]
    [InlineData('A')]
    [InlineData('9')]
    [InlineData('V', "x")]
    public void Types_that_are_not_known_are_refused(char type, string path = "")
        => AssertCorrupt([.. path.Length == 0 ? [] : Pax($"path={path}"), .. Header("a", type), .. End], TarReaderOptions.Foreign, "which is not known");

    [Fact]
    public void A_dump_directory_of_gnu_carries_data_that_is_passed_over()
    {
        byte[] archive = [.. Header("d/", 'D', 3), .. Block("abc"), .. Header("b", '0'), .. End];

        var read = TarSample.Read(archive);

        Assert.Equal([EntryKind.Directory, EntryKind.File], read.Select(sample => sample.Entry.Kind));
        Assert.Empty(read[0].Content);
    }

    [Fact]
    public void A_hard_link_of_pax_may_carry_data()
    {
        byte[] archive = [.. Pax("linkpath=a", "size=3"), .. Header("b", '1'), .. Block("abc"), .. Header("c", '0'), .. End];
        byte[] plain = [.. Header("b", '1', 3, "a"), .. Block("abc"), .. Header("c", '0'), .. End];
        byte[] old = [.. Header("b", '1', 3, "a"), .. Header("c", '0'), .. End];

        foreach (var each in new[] { archive, plain, old })
        {
            var read = TarSample.Read(each);
            Assert.Equal("b c", string.Join(' ', read.Select(sample => sample.Entry.Path)));
            Assert.Equal((EntryKind.HardLink, 0L, "a"), (read[0].Entry.Kind, read[0].Entry.Size, read[0].Entry.LinkTarget.ToString()));
        }
    }

    [Fact]
    public void Data_of_a_pax_hard_link_may_look_like_a_header()
    {
        byte[] archive = [.. Pax("linkpath=a", "size=512"), .. Header("b", '1'), .. Header("inner", '0'), .. Header("c", '0'), .. End];

        Assert.Equal("b c", string.Join(' ', TarSample.Read(archive).Select(sample => sample.Entry.Path)));
    }

    [Fact]
    public void The_prefix_is_read_as_the_magic_says()
    {
        static byte[] With(ReadOnlySpan<byte> magic, ReadOnlySpan<byte> tail)
        {
            var block = Header("name", '0');
            magic.CopyTo(block.AsSpan(257));
            "prefix"u8.CopyTo(block.AsSpan(345));
            block[476] = (byte)'7';
            tail.CopyTo(block.AsSpan(508));
            block.AsSpan(351, 125).Fill((byte)'x');
            TarNumber.WriteChecksum(block);
            return block;
        }

        var prefix = "prefix" + new string('x', 125);
        Assert.Equal(prefix + "7/name", Read(With("ustar\000"u8, default)).Path.ToString());
        Assert.Equal(prefix + "/name", Read(With("ustar\000"u8, "tar\0"u8)).Path.ToString());
        Assert.Equal("name", Read(With("ustar  \0"u8, default)).Path.ToString());
        Assert.Equal("name", Read(With("\0\0\0\0\0\0\0\0"u8, default)).Path.ToString());
    }

    [Fact]
    public void Local_records_win_over_global_ones_and_an_empty_value_takes_back()
    {
        byte[] archive =
        [
            .. Pax('g', "mtime=5.5", "gname=all"), .. Header("a", '0'),
            .. Pax("mtime=7", "gname="), .. Header("b", '0'),
            .. Header("c", '0'), .. End,
        ];

        var read = TarSample.Read(archive).ConvertAll(sample => (sample.Entry.Modified, sample.Entry.GroupName));

        Assert.Equal([(new UnixTime(5, 500_000_000), "all"), (new UnixTime(7, 0), ""), (new UnixTime(5, 500_000_000), "all")], read);
    }

    [Fact]
    public void An_acl_of_an_unknown_user_is_dropped_with_a_warning_for_its_entry_alone()
    {
        byte[] archive =
        [
            .. Pax("SCHILY.acl.access=user::rwx,user:mallory:rwx,group::r-x,mask::rwx,other::---", "SCHILY.xattr.user.a=b"), .. Header("a", '0'),
            .. Pax("LIBARCHIVE.xattr.user.%E9=AAA", "LIBARCHIVE.xattr.user.b%3D=AP8"), .. Header("b", '0'), .. End,
        ];
        using var reader = new TarReader(new MemoryStream(archive), TarReaderOptions.Ours with { Accounts = AccountNames.None });

        Assert.True(reader.MoveNext());
        Assert.Contains("'mallory'", Assert.Single(reader.Warnings), StringComparison.Ordinal);
        Assert.Equal("user.a", Assert.Single(reader.Current.Attributes).Name);
        Assert.True(reader.MoveNext());
        Assert.Contains("user.%E9", Assert.Single(reader.Warnings), StringComparison.Ordinal);
        var attribute = Assert.Single(reader.Current.Attributes);
        Assert.Equal(("user.b=", "00FF"), (attribute.Name, Convert.ToHexString(attribute.Value)));
        Assert.False(reader.MoveNext());
        Assert.Empty(reader.Warnings);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(40)]
    public void Of_two_records_for_one_attribute_the_later_wins_at_the_place_of_the_first(int count)
    {
        string[] Records(string value) => [.. Enumerable.Range(0, count).Select(at => $"SCHILY.xattr.user.{at}={value}")];

        var read = TarSample.Read([.. Pax([.. Records("early"), .. Records("late")]), .. Header("a", '0'), .. End]);

        var expected = string.Join(' ', Enumerable.Range(0, count).Select(at => $"user.{at}=late"));
        Assert.Equal(expected, string.Join(' ', read[0].Entry.Attributes.Select(attribute => $"{attribute.Name}={Encoding.ASCII.GetString(attribute.Value)}")));
    }

    [Theory]
    [InlineData("size=-1", "size")]
    [InlineData("size=9223372036854775807", "size is out of range")]
    [InlineData("size=9223372036854775806", "size is out of range")]
    [InlineData("size=9223372036854770000", "size is out of range")]
    [InlineData("size=9223372036854775808", "size")]
    [InlineData("uid=x", "uid")]
    [InlineData("mtime=yesterday", "mtime")]
    [InlineData("=x", "keyword")]
    [InlineData("GNU.sparse.major=2", "version")]
    [InlineData("GNU.sparse.realsize=10", "sparse map speaks of 0 bytes of data, its header of 3")]
    [InlineData("GNU.sparse.map=0,3", "size of the file")]
    [InlineData("GNU.sparse.size=2|GNU.sparse.map=0,3", "beyond the end")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.map=0,2", "speaks of 2 bytes")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.map=0,2,1,1", "ascend")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.map=4,2,0,1", "ascend")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.map=0,3,4", "without a length")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.map=-1,3", "malformed")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.map=9223372036854775807,3", "out of range")]
    [InlineData("GNU.sparse.size=9|GNU.sparse.numbytes=3", "without an offset")]
    [InlineData("GNU.sparse.major=1|GNU.sparse.realsize=9", "longer than its data")]
    public void Records_that_cannot_be_are_refused(string records, string flaw)
        => AssertCorrupt([.. Pax(records.Split('|')), .. Header("the-entry", '0', 3), .. Block("abc"), .. End], TarReaderOptions.Foreign, flaw);

    [Theory]
    [InlineData("1\n0\n600\n", "speaks of 600 bytes of data, its header of 512")]
    [InlineData("1\n0\n512\n", null)]
    [InlineData("1\n0\n", "malformed")]
    [InlineData("1000000000000000000\n0\n512\n", "malformed")]
    [InlineData("99999999999999999999\n0\n512\n", "malformed")]
    [InlineData("9999999999999999999\n0\n512\n", "malformed")]
    [InlineData("-1\n0\n512\n", "malformed")]
    [InlineData("\n", "malformed")]
    public void Maps_in_the_data_are_checked(string map, string? flaw)
    {
        byte[] archive =
        [
            .. Pax("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=9000", "GNU.sparse.name=real"),
            .. Header("GNUSparseFile.0/real", '0', 1024), .. Block(map), .. Block("x"), .. End,
        ];

        if (flaw is not null)
            AssertCorrupt(archive, TarReaderOptions.Ours, flaw);
        else
            Assert.Equal("real 9000 512", TarSample.Read(archive).ConvertAll(read => $"{read.Entry.Path} {read.Entry.Size} {read.Entry.DataLength}")[0]);
    }

    [Fact]
    public void A_map_of_too_many_runs_is_refused()
    {
        var map = new StringBuilder("1000001\n");
        for (var at = 0; at <= 1_000_000; at++)
            map.Append(at).Append("\n0\n");
        var data = Block(map.ToString());
        byte[] archive = [.. Pax("GNU.sparse.major=1", "GNU.sparse.realsize=9000000"), .. Header("a", '0', data.Length), .. data, .. End];

        AssertCorrupt(archive, TarReaderOptions.Foreign, "more than 1000000 runs");
    }

    [Theory]
    [InlineData("8 path=x")]
    [InlineData("9999 path=x\n")]
    [InlineData("path=x\n")]
    [InlineData("0 path=x\n")]
    [InlineData("-9 path=x\n")]
    [InlineData("2\n")]
    public void Records_of_a_wrong_length_are_refused(string records)
        => AssertCorrupt([.. Header("p", 'x', records.Length), .. Block(records), .. Header("a", '0'), .. End], TarReaderOptions.Foreign, "PAX record");

    [Fact]
    public void Extended_headers_are_bounded_together_and_need_an_entry()
    {
        var pax = Pax("comment=" + new string('x', 5 * 1024 * 1024));

        Assert.Single(TarSample.Read([.. pax, .. Header("a", '0'), .. End]));
        AssertCorrupt([.. pax, .. pax, .. Header("a", '0'), .. End], TarReaderOptions.Foreign, "more than 8388608 bytes");
        AssertCorrupt([.. Header("long", 'L', 8 * 1024 * 1024 + 1), .. End], TarReaderOptions.Foreign, "more than 8388608 bytes");
        AssertCorrupt([.. Pax("mtime=1"), .. End], TarReaderOptions.Foreign, "after an extended header");
        AssertCorrupt(Pax("mtime=1"), TarReaderOptions.Foreign, "after an extended header");
        AssertCorrupt([.. Header("x", 'x'), .. End], TarReaderOptions.Foreign, "after an extended header");
        AssertCorrupt([.. Pax("mtime=1"), .. Pax('g', "mtime=1"), .. Header("a", '0'), .. End], TarReaderOptions.Foreign, "global header");
    }

    [Fact]
    public void Attributes_that_the_reader_would_refuse_are_not_written()
    {
        var entry = TarSample.File("big", "").Entry with { Attributes = [new ExtendedAttribute("user.a", new byte[TarFormat.MaximumExtendedHeader])] };

        var refused = Assert.Throws<BackupException>(() => new TarHeaderWriter().Write(entry, new ArrayBufferWriter<byte>()));

        Assert.Equal((FailureKind.Suspect, new EntryPath("big")), (refused.Failure.Kind, refused.Failure.Target));
    }

    [Fact]
    public void A_refusal_names_the_entry_and_its_offset()
    {
        byte[] archive = [.. Header("a", '0'), .. Pax("mtime=1"), .. Header("the-entry", '0', 3), .. Block("abc")[..2]];

        var refused = AssertCorrupt(archive, TarReaderOptions.Ours, "'the-entry' at byte 512 of its tar stream: the archive ends inside of its data");

        Assert.Equal(new EntryPath("the-entry"), refused.Failure.Target);
    }

    [Fact]
    public void A_changed_header_is_refused()
    {
        var archive = TarSample.Write(TarSample.File("a", "x"));
        archive[3] ^= 1;

        AssertCorrupt(archive, TarReaderOptions.Foreign, "checksum");
    }

    [Fact]
    public void Small_entries_make_no_garbage_beyond_themselves()
    {
        const int count = 20_000;
        var sample = TarSample.File("config/app.env", "A=1", entry => entry with { Modified = new UnixTime(1, 5), UserName = "root" });
        var samples = Enumerable.Repeat(sample, count);
        var output = new ArrayBufferWriter<byte>(64 * 1024 * 1024);
        var writer = new TarHeaderWriter();
        var entry = sample.Entry;
        writer.Write(entry, output);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var at = 0; at < count; at++)
            writer.Write(entry, output);
        var written = GC.GetAllocatedBytesForCurrentThread() - before;

        using var reader = new TarReader(new MemoryStream(TarSample.Write(samples)), TarReaderOptions.Ours);
        reader.MoveNext();
        before = GC.GetAllocatedBytesForCurrentThread();
        while (reader.MoveNext())
        {
        }

        Assert.InRange(written / count, 0, 1);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / count, 0, 240);
    }

    private static ArchiveEntry Read(byte[] header) => Assert.Single(TarSample.Read([.. header, .. End])).Entry;

    private static BackupException AssertCorrupt(byte[] archive, TarReaderOptions options, string flaw = "")
    {
        var refused = Assert.Throws<BackupException>(() => TarSample.Read(archive, options));
        Assert.Equal(FailureKind.ArchiveCorrupt, refused.Failure.Kind);
        Assert.Contains(flaw, refused.Message, StringComparison.Ordinal);
        return refused;
    }

    private static byte[] Header(string name, char type, long size = 0, string link = "") => RawTar.Header(name, type, size, link);

    private static byte[] Block(string text) => RawTar.Block(text);

    private static byte[] Pax(params string[] records) => RawTar.Pax('x', records);

    private static byte[] Pax(char type, params string[] records) => RawTar.Pax(type, records);
}
