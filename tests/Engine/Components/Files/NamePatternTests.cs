using System.Text;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Components.Files;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Files;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("*", "a", true)]
    [InlineData("*", ".a", false)]
    [InlineData(".*", ".a", true)]
    [InlineData("[.]a", ".a", false)]
    [InlineData("\\.*", ".a", true)]
    [InlineData("a\\*", "a*", true)]
    [InlineData("a\\*", "ab", false)]
    [InlineData("[]a]", "]", true)]
    [InlineData("[!]a]", "]", false)]
    [InlineData("[^a-c]x", "dx", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("[a", "[a", true)]
    [InlineData("[", "[", true)]
    [InlineData("a*b*c", "abbbc", true)]
    [InlineData("a*b*c", "abbb", false)]
    [InlineData("a\\b", "a\\b", true)]
    public void Cases_of_bash(string pattern, string name, bool expected) =>
        Assert.Equal(expected, new NamePattern(Encoding.UTF8.GetBytes(pattern)).Matches(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Stars_and_question_marks_match_as_a_regular_expression_says()
    {
        var text = Gen.Elements('a', 'b', 'x').ListOf().Select(characters => "n" + string.Concat(characters)).ToArbitrary();
        var pattern = Gen.Elements('a', 'b', '*', '?').ListOf().Select(characters => "n" + string.Concat(characters)).ToArbitrary();
        Prop.ForAll(text, pattern, (name, glob) =>
        {
            var expression = "^" + glob.Replace("*", "[abxn]*", StringComparison.Ordinal).Replace('?', '.') + "$";
            var expected = Regex.IsMatch(name, expression, RegexOptions.NonBacktracking, TimeSpan.FromMinutes(1));
            return new NamePattern(Encoding.UTF8.GetBytes(glob)).Matches(Encoding.UTF8.GetBytes(name)) == expected;
        }).QuickCheckThrowOnFailure();
    }
}
