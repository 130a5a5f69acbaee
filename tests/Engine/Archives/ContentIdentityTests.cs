using BotCore.Backup.Engine.Archives;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

public sealed class ContentIdentityTests
{
    private static readonly Gen<(string Path, long Size, string Hash, string Link)[]> Sets =
        (from path in Gen.Elements("a", "b", "a/b", "ab", "")
         from size in Gen.Choose(0, 3)
         from hash in Gen.Elements("", new string('0', 64), new string('a', 64))
         from link in Gen.Elements("", "a", "b", "ab")
         select (path, (long)size, hash, link)).ArrayOf();

    [Fact]
    public void Two_sets_have_one_hash_where_they_are_the_same_and_nowhere_else() => Prop.ForAll(Sets.Two().ToArbitrary(), two =>
        string.Equals(Hash(two.Item1), Hash(two.Item2), StringComparison.Ordinal) == two.Item1.SequenceEqual(two.Item2)).QuickCheckThrowOnFailure();

    [Fact]
    public void The_root_counts_for_nothing() => Assert.Equal(Hash([]), Hash([(".", 0, "", "")]));

    private static string Hash((string Path, long Size, string Hash, string Link)[] entries)
    {
        var identity = new ContentIdentity();
        foreach (var (path, size, hash, link) in entries)
            identity.Add(new EntryPath(path), EntryKind.File, size, hash, new EntryPath(link));
        return identity.Finish();
    }
}
