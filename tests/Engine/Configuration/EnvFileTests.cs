using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Configuration;

public sealed class EnvFileTests
{
    // What the syntax is made of, so that random text is near to it.
    private static readonly string[] Tokens =
        ["A", "=", "'", "\"", "\\", "$", "{", "}", ":-", "-", "#", " ", "\n", "\r\n", "\r", "export ", "$A", "${A}", "${A:-", "x", "\t", "é", "\uFEFF", "\0", "(", "1", "\ud800"];

    [Theory]
    [InlineData("A=b", "b")]
    [InlineData("export A=b", "b")]
    [InlineData("  A = b  ", "b")]
    [InlineData("A=b c", "b c")]
    [InlineData("A=b # c", "b")]
    [InlineData("A=b#c", "b#c")]
    [InlineData("A=#c", "#c")]
    [InlineData("A= # c", "")]
    [InlineData("A=", "")]
    [InlineData("A=it's", "it's")]
    [InlineData(@"A=C:\new\backups", @"C:\new\backups")]
    [InlineData("A='$X \\n \"b\" # c'", "$X \\n \"b\" # c")]
    [InlineData(@"A='it'\''s'", "it's")]
    [InlineData("A=\"b\\n\\\"c\\\" \\\\ \\$X \\x\" # d", "b\n\"c\" \\ $X \\x")]
    [InlineData("A=\"b\nc\"", "b\nc")]
    [InlineData("A='b\r\nc'\r\n", "b\nc")]
    [InlineData("A=\"b \\\nc\"", "b c")]
    [InlineData("\uFEFFA=b\r\n", "b")]
    [InlineData("X=1\nA=$X/${X}2", "1/12")]
    [InlineData("X='a b'\nA=\"$X\"/c", "a b/c")]
    [InlineData("A=${NO:-d}", "d")]
    [InlineData("A=${NO-d}", "d")]
    [InlineData("X=\nA=${X:-d}${X-e}", "d")]
    [InlineData("X=1\nA=${NO:-${X}/\\}y}", "1/}y")]
    [InlineData("A=a$ b$1", "a$ b$1")]
    [InlineData(@"A=\$X", "$X")]
    [InlineData("A=$(touch /tmp/no)`id`", "$(touch /tmp/no)`id`")]
    [InlineData("A=1\nA=2", "2")]
    [InlineData("# A=0\n\n   # x\nA=1\n", "1")]
    [InlineData("spring.data-x=1\nA=2", "2")]
    public void Values_are_read_as_written(string text, string expected) =>
        Assert.Equal(expected, EnvFile.Parse(text, "x.env", TestFolder.NoEnvironment).Entries[^1].Value);

    [Theory]
    [InlineData("A=1\nnonsense secret\nB=2", 2)]
    [InlineData("A=1\n\nB='secret\nmore\nmore", 3)]
    [InlineData("A=\"secret", 1)]
    [InlineData("A=1\nB=\"secret\" more", 2)]
    [InlineData("A=1\nB=${secret", 2)]
    [InlineData("A=${secret:?x}", 1)]
    [InlineData("A=${1}", 1)]
    [InlineData("\n=secret", 2)]
    [InlineData("A=1\nB=secret\0", 2)]
    public void A_line_that_cannot_be_read_is_named_and_its_value_is_not(string text, int line)
    {
        var failure = Assert.Throws<BackupException>(() => EnvFile.Parse(text, "x.env", TestFolder.NoEnvironment)).Failure;

        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        Assert.StartsWith($"Line {line} of x.env ", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_environment_wins_in_expansion_too()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["X"] = "outer" };

        Assert.Equal("outer", EnvFile.Parse("X=inner\nA=$X", "x.env", environment).Entries[^1].Value);
    }

    [Fact]
    public void Unset_variables_and_commands_are_remarked()
    {
        var file = EnvFile.Parse("A=$NO\nB=$(id)", "x.env", TestFolder.NoEnvironment);

        Assert.Equal([("A", 1), ("B", 2)], file.Remarks.Select(remark => (remark.Key, remark.Line)));
        Assert.Contains("${NO}", file.Remarks[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_is_read_or_refused_as_configuration()
    {
        var texts = Gen.Elements(Tokens).ListOf().Select(string.Concat).ToArbitrary();
        Prop.ForAll(texts, ReadsOrRefuses).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
        Prop.ForAll<string>(text => text is null || ReadsOrRefuses(text)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Quoted_values_come_back_as_they_were()
    {
        var texts = Gen.Elements(Tokens).ListOf().Select(string.Concat).Where(text => !text.Contains('\0', StringComparison.Ordinal)).ToArbitrary();
        Prop.ForAll(
            texts,
            text => string.Equals(
                text,
                EnvFile.Parse($"X=1\nA={EnvFile.Quote(text)} # note\nB=2", "x", TestFolder.NoEnvironment).Entries[1].Value,
                StringComparison.Ordinal)).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [ToolFact("sh")]
    public void A_shell_reads_quoted_values_the_same()
    {
        string[] values = ["plain", "with space", "it's", "$HOME `id` $(id)", "a\"b\\c", "two\nlines", "#no comment", "", "é"];
        using var folder = new TestFolder();
        var script = string.Concat(values.Select((value, index) => $"V{index}={EnvFile.Quote(value)}\n"))
            + string.Concat(values.Select((_, index) => $"printf '%s\\0' \"$V{index}\"\n"));
        using var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh", [folder.Write("x.sh", script)]) { RedirectStandardOutput = true, UseShellExecute = false })!;

        Assert.Equal(values, shell.StandardOutput.ReadToEnd().Split('\0')[..^1], StringComparer.Ordinal);
        shell.WaitForExit();
    }

    [Fact]
    public void Values_that_multiply_each_other_are_refused()
    {
        var text = "A=" + new string('x', 1000) + string.Concat(Enumerable.Range(0, 40).Select(_ => "\nA=$A$A$A$A"));

        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => EnvFile.Parse(text, "x", TestFolder.NoEnvironment)).Failure.Kind);
    }

    [Fact]
    public void Deep_defaults_are_refused_and_do_not_overflow_the_stack()
    {
        var text = "A=" + string.Concat(Enumerable.Repeat("${B:-", 100_000));

        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => EnvFile.Parse(text, "x", TestFolder.NoEnvironment)).Failure.Kind);
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_no_text_is_refused()
    {
        using var folder = new TestFolder();
        Assert.Equal(FailureKind.ConfigurationMissing, Kind(folder.EnvFile));
        File.WriteAllBytes(folder.EnvFile, [(byte)'A', (byte)'=', (byte)'1', (byte)'\n', (byte)'B', (byte)'=', 0xE9]);
        var failure = Assert.Throws<BackupException>(() => EnvFile.Read(folder.EnvFile, TestFolder.NoEnvironment)).Failure;
        Assert.StartsWith("Line 2 of ", failure.Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder.EnvFile, new byte[EnvFile.LongestFile + 1]);
        Assert.Equal(FailureKind.ConfigurationInvalid, Kind(folder.EnvFile));

        static FailureKind Kind(string path) => Assert.Throws<BackupException>(() => EnvFile.Read(path, TestFolder.NoEnvironment)).Failure.Kind;
    }

    private static bool ReadsOrRefuses(string text)
    {
        try
        {
            _ = EnvFile.Parse(text, "x.env", TestFolder.NoEnvironment);
            return true;
        }
        catch (BackupException refused)
        {
            return refused.Failure.Kind == FailureKind.ConfigurationInvalid;
        }
    }
}
