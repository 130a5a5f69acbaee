using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Files;

public sealed class KnownTreeTests
{
    // Bytes on both sides of the slash, so that an order by bytes alone would be another one.
    private static readonly Gen<string> Names = Gen.Elements('-', '.', '0', 'a', 'b').NonEmptyListOf().Select(letters => new string([.. letters.Take(3)])).Where(name => name is not ("." or ".."));

    private static readonly Gen<string[]> Trees = Names.NonEmptyListOf().Select(names => string.Join('/', names.Take(3))).ListOf()
        .Select(paths => paths.SelectMany(Prefixes).Append(".").Distinct(StringComparer.Ordinal).ToArray());

    [Fact]
    public void The_order_is_that_of_a_walk() => Prop.ForAll(Trees.ToArbitrary(), paths =>
        Walk(paths).SequenceEqual(paths.Select(path => new EntryPath(path)).Order(Comparer<EntryPath>.Create(TreeOrder.Compare)).Select(path => path.ToString()), StringComparer.Ordinal)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_walk_finds_every_line_of_its_paths_and_the_rest_is_deleted() => Prop.ForAll(Trees.Two().ToArbitrary(), two =>
    {
        var (before, now) = (Walk(two.Item1), Walk(two.Item2));
        using var known = new KnownTree("id", DateTimeOffset.UtcNow, before.Select(Line));
        var found = now.Select(path => known.Take(new EntryPath(path))?.Path.ToString()).ToList();
        known.TakeRest();
        var gone = before.Except(now, StringComparer.Ordinal).ToList();
        var listed = known.Deleted.Select(path => path.ToString()).ToList();

        return found.SequenceEqual(now.Select(path => before.Contains(path, StringComparer.Ordinal) ? path : null), StringComparer.Ordinal)
            && listed.All(gone.Contains)
            && gone.TrueForAll(path => listed.Exists(one => string.Equals(one, path, StringComparison.Ordinal) || path.StartsWith(one + "/", StringComparison.Ordinal)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Looking_ahead_changes_nothing() => Prop.ForAll(Trees.Two().ToArbitrary(), two =>
    {
        using var known = new KnownTree("id", DateTimeOffset.UtcNow, Walk(two.Item1).Select(Line));
        using var other = new KnownTree("id", DateTimeOffset.UtcNow, Walk(two.Item1).Select(Line));
        foreach (var path in Walk(two.Item2).Select(path => new EntryPath(path)))
        {
            var seen = known.Peek(path);
            if (seen?.Path != other.Take(path)?.Path || seen?.Path != known.Take(path)?.Path)
                return false;
        }

        known.TakeRest();
        other.TakeRest();
        return known.Deleted.SequenceEqual(other.Deleted);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_index_in_another_order_is_ArchiveCorrupt()
    {
        using var known = new KnownTree("id", DateTimeOffset.UtcNow, [Line("b"), Line("a")]);

        Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(known.TakeRest).Failure.Kind);
    }

    private static IndexEntry Line(string path) => new(new EntryPath(path), EntryKind.File, 0, "", "d", 0, 0, default, EntryMark.None);

    private static IEnumerable<string> Prefixes(string path) => path.Split('/').Select((_, count) => string.Join('/', path.Split('/').Take(count + 1)));

    // As TreeWalk does it: a folder, then what is in it by the bytes of names.
    private static List<string> Walk(string[] paths, string folder = "")
    {
        var walked = folder.Length == 0 ? new List<string> { "." } : [folder];
        foreach (var child in paths.Where(path => path is not "." && path.StartsWith(folder, StringComparison.Ordinal) && path.Length > folder.Length && IsChild(path, folder)).Order(StringComparer.Ordinal))
            walked.AddRange(Walk(paths, child));
        return walked;
    }

    private static bool IsChild(string path, string folder) =>
        folder.Length == 0 ? !path.Contains('/', StringComparison.Ordinal) : path[folder.Length] == '/' && path.LastIndexOf('/') == folder.Length;
}
