using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Outcome = BotCore.Backup.Engine.Events.Outcome;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>Names and texts of proof records: what is written is read back, and nonsense is nothing, never an exception.</summary>
public sealed class ProofNameTests
{
    private const string Archive = "mongodb/2026/12/mongodb_full_20261201_020000.tar.gz.gpg";

    private static readonly DateTimeOffset At = new(2026, 12, 1, 2, 56, 11, TimeSpan.Zero);
    private static readonly ProofMark[] Marks = [ProofMark.Tried, ProofMark.Checksum, ProofMark.Archive, ProofMark.Sandbox, ProofMark.Restore];

    [Theory]
    [InlineData(ProofMark.Archive, null, 1, "20261201_025611Z.archive.1a2b3c4d.json")]
    [InlineData(ProofMark.Sandbox, null, 3, "20261201_025611Z_3.sandbox.1a2b3c4d.json")]
    [InlineData(ProofMark.Checksum, FailureKind.ArchiveCorrupt, 1, "20261201_025611Z.failed-checksum-ArchiveCorrupt.1a2b3c4d.json")]
    public void The_name_says_what_a_listing_needs(ProofMark mark, FailureKind? flaw, int turn, string expected) =>
        Assert.Equal($"{Archive}.proof.{expected}", new ProofName(At, turn, mark, flaw, "1a2b3c4d").KeyOf(Archive));

    [Fact]
    public void What_is_written_is_read_back() => Prop.ForAll<uint, (byte, byte, byte), uint>((second, words, seal) =>
    {
        var (turn, mark, flaw) = words;
        FailureKind?[] flaws = [null, .. Enum.GetValues<FailureKind>().Where(ProofName.IsDamage).Cast<FailureKind?>()];
        var which = Marks[mark % Marks.Length];
        var name = new ProofName(DateTimeOffset.FromUnixTimeSeconds(second), turn + 1, which, which == ProofMark.Tried ? null : flaws[flaw % flaws.Length], seal.ToString("x8", CultureInfo.InvariantCulture));
        Assert.True(ProofName.TryParse(name.KeyOf(Archive), out var prefix, out var read));
        Assert.Equal(name, read);
        Assert.Equal(ProofName.PrefixOf(Archive), prefix);
        Assert.True(ProofName.IsOne(name.KeyOf(Archive)));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("20261201_025611Z.archive.1a2b3c4d.jsonl")]
    [InlineData("20261201_025611.archive.1a2b3c4d.json")]
    [InlineData("20261301_025611Z.archive.1a2b3c4d.json")]
    [InlineData("20261201_025611Z_1.archive.1a2b3c4d.json")]
    [InlineData("20261201_025611Z_02.archive.1a2b3c4d.json")]
    [InlineData("20261201_025611Z_99999.archive.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.Archive.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.signed.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.archive.1A2B3C4D.json")]
    [InlineData("20261201_025611Z.archive.1a2b3c4.json")]
    [InlineData("20261201_025611Z.archive.json")]
    [InlineData("20261201_025611Z.archive.2.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed-archive.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed-ArchiveCorrupt.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed-archive-WrongPassphrase.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed-archive-Unknown.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed-tried-ArchiveCorrupt.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed--ArchiveCorrupt.1a2b3c4d.json")]
    [InlineData("20261201_025611Z.failed-.1a2b3c4d.json")]
    [InlineData("")]
    [InlineData("json")]
    public void A_strange_name_is_none(string behind) => Assert.False(ProofName.TryParse($"{Archive}.proof.{behind}", out _, out _));

    [Fact]
    public void Nonsense_is_no_name_and_no_exception() => Prop.ForAll<string?, string?>((before, behind) =>
    {
        _ = ProofName.TryParse($"{before}.proof.{behind}.json", out _, out _);
        _ = ProofName.TryParse($"{before}{behind}", out _, out _);
        _ = ProofName.IsOne($"{before}.proof.json");
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    // With the dot, the word and the ending of a half-written file around it, as a folder store makes them.
    [Fact]
    public void No_name_passes_what_a_file_may_have() => Prop.ForAll<ushort, bool, byte>((length, wide, mark) =>
    {
        var file = new string(wide ? 'ü' : 'x', (length % 230) + 1) + "_20261201_020000.tar.zst.gpg";
        var which = Marks[1 + (mark % (Marks.Length - 1))];
        var key = new ProofName(At, 9999, which, FailureKind.ArchiveUnauthenticated, "1a2b3c4d").KeyOf("volumes/" + file);
        var written = $".{key["volumes/".Length..]}.0123abcd.partial";
        Assert.True(Encoding.UTF8.GetByteCount(written) <= 255, written);
        Assert.StartsWith("volumes/", key, StringComparison.Ordinal);
        Assert.True(ProofName.TryParse(key, out var prefix, out _));
        Assert.Equal(ProofName.PrefixOf("volumes/" + file), prefix);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Records_of_an_archive_are_not_those_of_one_whose_name_begins_alike() =>
        Assert.False(new ProofName(At, 1, ProofMark.Archive, Flaw: null, "1a2b3c4d").KeyOf("config/a_20261201_020000.tar.gz.gpg").StartsWith(ProofName.PrefixOf("config/a_20261201_020000.tar.gz"), StringComparison.Ordinal));

    [Fact]
    public void A_record_is_read_back_as_it_was_written() => Prop.ForAll<(uint, long, long), string?, (bool, double)>((numbers, where, more) =>
    {
        var (second, read, entries) = numbers;
        var (authenticated, seconds) = more;
        var record = Sample with
        {
            At = DateTimeOffset.FromUnixTimeSeconds(second),
            Read = read,
            Entries = entries,
            // What no encoding of text can hold is no path or server either.
            Where = where is null ? null : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(where)),
            Authenticated = authenticated,
            Seconds = double.IsFinite(seconds) ? seconds : 0,
            Budget = authenticated ? new ProofBudget("run", At, 1800, read % 2 == 0 ? At.AddDays(-1) : null) : null,
        };
        var json = record.ToJson();
        if (json.Length <= ProofRecord.MaximumLength)
            Assert.Equal(record, ProofRecord.TryParse(json));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_record_of_a_format_to_come_or_with_words_of_none_is_ignored()
    {
        var text = Encoding.UTF8.GetString(Sample.ToJson());
        Assert.NotNull(ProofRecord.TryParse(Encoding.UTF8.GetBytes(text)));
        Assert.Null(ProofRecord.TryParse((Sample with { Format = 2 }).ToJson()));
        Assert.Null(ProofRecord.TryParse(Encoding.UTF8.GetBytes(text.Replace("\"depth\"", "\"deep\"", StringComparison.Ordinal))));
        Assert.Null(ProofRecord.TryParse(Encoding.UTF8.GetBytes(text.Replace("\"Archive\"", "2", StringComparison.Ordinal))));
        Assert.Null(ProofRecord.TryParse((Sample with { Where = new string('x', ProofRecord.MaximumLength) }).ToJson()));
        Assert.Null(ProofRecord.TryParse("null"u8));
    }

    [Fact]
    public void Nonsense_is_no_record_and_no_exception() => Prop.ForAll<byte[]?, ushort, byte>((bytes, at, value) =>
    {
        Assert.Null(ProofRecord.TryParse(bytes ?? []));
        var spoiled = Sample.ToJson();
        spoiled[at % spoiled.Length] = value;
        _ = ProofRecord.TryParse(spoiled);
        Assert.Null(ProofRecord.TryParse(spoiled.AsSpan(0, at % (spoiled.Length - 2))));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static ProofRecord Sample => new()
    {
        Format = ProofRecord.CurrentFormat,
        Backup = "0123456789abcdef",
        Archive = "a.tar.gz",
        At = At,
        Depth = Depth.Archive,
        Outcome = Outcome.Succeeded,
        Mark = ProofMark.Archive,
        Read = 10,
        Size = 10,
        EntriesRead = 1,
        Seconds = 0.5,
        Tool = "BotCore.Backup",
        Host = "host",
        RunId = "run",
    };
}
