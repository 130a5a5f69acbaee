using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Schedules;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Schedules;

/// <summary>A block of ours in a table of somebody else's.</summary>
public sealed class CrontabTextTests
{
    private static readonly TaskCommand Command = new("/usr/bin/pwsh", "/opt/it's 100%/Nightly.ps1", "/srv/bot core/.env", "/var/log/backups");

    private static readonly IReadOnlyList<string> Block = CrontabText.Block(Timetable.Of(Timetable.DefaultInterval), Command, user: null);

    [Fact]
    public void Other_lines_stay_and_writing_twice_is_writing_once() =>
        Prop.ForAll(
            Gen.Elements("", "# a comment", "MAILTO=ops@example.org", "*/10 * * * * /usr/bin/other --percent \\%", "  ", "0 1 * * * echo x\t").ListOf().Zip(Gen.Elements(true, false)).ToArbitrary(),
            drawn =>
            {
                var (lines, newline) = drawn;
                var table = string.Join('\n', lines) + (newline && lines.Count > 0 ? "\n" : "");
                var once = CrontabText.With(table, Block);
                var others = once.Split('\n').Except(Block, StringComparer.Ordinal).ToList();
                return string.Equals(CrontabText.With(once, Block), once, StringComparison.Ordinal)
                    && lines.All(line => others.Contains(line) || line.Length == 0)
                    && string.Equals(CrontabText.With(once, []).TrimEnd('\n'), table.TrimEnd('\n'), StringComparison.Ordinal);
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Between_other_lines_the_block_keeps_its_place()
    {
        var table = CrontabText.With("first\n", Block) + "last\n";
        var fewer = CrontabText.Block(Timetable.Of(TimeSpan.FromHours(1)).Take(2), Command, user: null);
        Assert.Equal(["first", .. fewer, "last", ""], CrontabText.With(table, fewer).Split('\n'));
        Assert.Equal("first\nlast\n", CrontabText.With(table, []));
    }

    [Fact]
    public void Of_a_block_without_its_end_only_what_can_be_ours_goes()
    {
        var table = string.Join('\n', Block.SkipLast(1)) + "\n0 1 * * * /usr/bin/other\n";
        Assert.Equal([.. Block, "0 1 * * * /usr/bin/other", ""], CrontabText.With(table, Block).Split('\n'));
    }

    [Fact]
    public void A_percent_sign_is_escaped_and_a_quote_quoted()
    {
        Assert.All(Block.Skip(1).SkipLast(1), line => Assert.DoesNotMatch(@"(?<!\\)%", line));
        Assert.Contains(@"'/opt/it'\''s 100\%/Nightly.ps1' -Task full -Configuration '/srv/bot core/.env' >>/var/log/backups/cron-full.log 2>&1", Block[2], StringComparison.Ordinal);
        Assert.Equal("0 2 * * *", CrontabText.Entries(CrontabText.With("", Block), hasUsers: false)[1].Cron);
        Assert.Contains("100%/", CrontabText.Entries(CrontabText.With("", Block), hasUsers: false)[1].Command, StringComparison.Ordinal);
    }

    [Fact]
    public void The_drill_is_on_one_Sunday_a_month() => Assert.StartsWith("0 5 1-7 * * [ \"$(date +\\%u)\" = 7 ] && ", Block.Single(line => line.Contains(" drill ", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void A_table_of_the_system_names_the_user()
    {
        var block = CrontabText.Block(Timetable.Of(Timetable.DefaultInterval), Command, "backup");
        Assert.StartsWith("0 2 * * * backup /usr/bin/pwsh ", block[2], StringComparison.Ordinal);
        Assert.StartsWith("/usr/bin/pwsh", CrontabText.Entries(CrontabText.With("", block), hasUsers: true)[1].Command, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_are_those_that_were_quoted() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string?>().Generator.ListOf().ToArbitrary(), drawn =>
        {
            var words = drawn.Select(word => word ?? "").ToList();
            return CommandWords.Of(string.Join(' ', words.Select(CommandWords.Quote))).SequenceEqual(words, StringComparer.Ordinal);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(5, "*/5 * * * *")]
    [InlineData(1, "* * * * *")]
    [InlineData(30, "*/30 * * * *")]
    [InlineData(60, "0 * * * *")]
    public void Increments_come_as_often_as_is_asked(int minutes, string cron) => Assert.Equal(cron, Timetable.Of(TimeSpan.FromMinutes(minutes))[0].Cron);

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(7)]
    [InlineData(90)]
    public void What_is_not_regular_is_refused(double minutes) =>
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => Timetable.Of(TimeSpan.FromMinutes(minutes))).Failure.Kind);
}
