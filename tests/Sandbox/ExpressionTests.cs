using BotCore.Backup.Sandbox.Values;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

/// <summary><c>$expr</c>: the one form that is known, and what happens to all others.</summary>
public sealed class ExpressionTests
{
    private static readonly object Literal = Doc.Of(("$literal", Doc.Of(("_id", 1), ("a", 5), ("in", Doc.Of(("b", "$x"))))));

    [Fact]
    public void The_whole_document_is_compared_as_the_aggregation_compares_it()
    {
        using var session = new Session();
        session.Insert(
            "shop.t",
            Doc.Of(("_id", 1), ("a", 5L), ("in", Doc.Of(("b", "$x")))),
            Doc.Of(("_id", 2), ("a", 5), ("in", Doc.Of(("b", "$x")))));
        Assert.Single(session.Find("shop.t", Doc.Of(("$expr", Is(Literal)))));
        Assert.Empty(session.Find("shop.t", Doc.Of(("$expr", Is(Doc.Of(("$literal", Doc.Of(("_id", 1), ("in", Doc.Of(("b", "$x"))), ("a", 5)))))))));
        Assert.Empty(session.Find("shop.t", Doc.Of(("$expr", Is(Doc.Of(("$literal", Doc.Of(("_id", 1), ("a", 5)))))))));
    }

    [Fact]
    public void An_update_that_demands_a_state_finds_only_that()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1), ("a", 5)), Doc.Of(("_id", 2), ("a", 6)));
        var demanded = Is(Doc.Of(("$literal", Doc.Of(("_id", 1), ("a", 5)))));
        Assert.Equal(0, session.Update("shop.t", Doc.Of(("_id", 2), ("$expr", demanded)), Doc.Of(("_id", 2), ("a", 0))).FindInt64("n"u8));
        Assert.Equal(1, session.Update("shop.t", Doc.Of(("_id", 1), ("$expr", demanded)), Doc.Of(("_id", 1), ("a", 7))).FindInt64("n"u8));
        Assert.Equal(0, session.Update("shop.t", Doc.Of(("_id", 1), ("$expr", demanded)), Doc.Of(("_id", 1), ("a", 8))).FindInt64("n"u8));
        Assert.Equal(7, session.Find("shop.t", Doc.Of(("_id", 1)))[0].FindInt64("a"u8));
    }

    [Fact]
    public void Every_other_expression_is_refused()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1)));
        object?[] others =
        [
            true,
            Doc.Of(("$eq", new object[] { "$a", 1 })),
            Doc.Of(("$eq", new object[] { "$$ROOT", Doc.Of(("_id", 1)) })),
            Doc.Of(("$ne", new[] { "$$ROOT", Literal })),
            Doc.Of(("$eq", new[] { "$$ROOT", Literal, Literal })),
            Doc.Of(("$eq", new[] { "$$ROOT", Literal }), ("$gt", 1)),
            Doc.Of(("$eq", new object[] { "$$ROOT", Doc.Of(("$literal", 1)) })),
        ];
        Assert.All(others, other => Assert.Equal(ServerException.NotImplemented, session.Fails("shop", ("find", "t"), ("filter", Doc.Of(("$expr", other))))));
    }

    private static object Is(object literal) => Doc.Of(("$eq", new[] { "$$ROOT", literal }));
}
