using BotCore.Backup.Sandbox.Tests.Values;
using BotCore.Backup.Sandbox.Updates;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests.Updates;

public sealed class DocumentDiffTests
{
    [Fact]
    public void A_diff_applied_gives_the_new_document() => Prop.ForAll<int>(seed =>
    {
        var random = new RandomBson(seed);
        var old = random.Document();
        var current = random.Changed(old);
        var diff = DocumentDiff.ComputeAlways(old, current);
        return diff is { } made && DocumentDiff.Apply(old, made).Span.SequenceEqual(current.Span);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Fact]
    public void Sections_have_the_servers_form()
    {
        var big = new string('x', 200);
        var old = Doc.Of(("_id", 1), ("gone", 1), ("n", 1), ("deep", Doc.Of(("x", 1), ("big", big))), ("list", new object?[] { big, 2, 3 }));
        var current = Doc.Of(("_id", 1), ("n", 2), ("deep", Doc.Of(("x", 2), ("big", big))), ("list", new object?[] { big, 5 }), ("new", true));
        var expected = Doc.Of(
            ("d", Doc.Of(("gone", false))),
            ("u", Doc.Of(("n", 2))),
            ("i", Doc.Of(("new", true))),
            ("sdeep", Doc.Of(("u", Doc.Of(("x", 2))))),
            ("slist", Doc.Of(("a", true), ("l", 2), ("u1", 5))));
        Assert.True(DocumentDiff.Compute(old, current)!.Value.Span.SequenceEqual(expected.Span));
    }

    [Fact]
    public void A_field_that_moved_is_inserted_again_and_not_deleted()
    {
        var diff = DocumentDiff.ComputeAlways(Doc.Of(("a", 1), ("b", 2)), Doc.Of(("b", 2), ("a", 1)))!.Value;
        Assert.True(diff.Span.SequenceEqual(Doc.Of(("i", Doc.Of(("a", 1)))).Span));
    }

    [Fact]
    public void An_array_grows_with_nulls_up_to_a_far_element()
    {
        var changed = DocumentDiff.Apply(Doc.Of(("l", new object?[] { 1 })), Doc.Of(("sl", Doc.Of(("a", true), ("u3", 4)))));
        Assert.True(changed.Span.SequenceEqual(Doc.Of(("l", new object?[] { 1, null, null, 4 })).Span));
    }

    [Fact]
    public void A_diff_that_is_none_is_refused() =>
        Assert.ThrowsAny<Exception>(() => DocumentDiff.Apply(Doc.Of(("a", 1)), Doc.Of(("x", Doc.Of(("a", 2))))));
}
