using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb.Bson;

public class BsonTests
{
    [Fact]
    public void What_is_built_is_read_back()
    {
        Prop.ForAll<NonNull<string>, long, double>((text, number, real) =>
        {
            var bson = new BsonBuilder(16).Append("s", text.Get).Append("l", number).Append("i", (int)number).Append("d", real).Append("b", number > 0)
                .Append("t", BsonTimestamp.FromValue((ulong)number)).AppendNull("n").AppendDateTime("a", number).AppendBinary("x", BitConverter.GetBytes(number), 5)
                .BeginDocument("o").BeginArray("v").Append("0", number).End().End().ToBson();
            Assert.True(bson.TryFind("s"u8, out var element));
            Assert.Equal(System.Text.Encoding.UTF8.GetBytes(text.Get), element.AsUtf8().ToArray());
            Assert.Equal(number, bson.FindInt64("l"u8));
            Assert.Equal((int)number, bson.FindInt64("i"u8));
            Assert.True(bson.TryFind("d"u8, out element));
            Assert.Equal(BitConverter.DoubleToInt64Bits(real), BitConverter.DoubleToInt64Bits(element.AsDouble()));
            Assert.Equal(number > 0, bson.IsTrue("b"u8));
            Assert.Equal((ulong)number, bson.FindTimestamp("t"u8)!.Value.Value);
            Assert.True(bson.TryFind("a"u8, out element));
            Assert.Equal(number, element.AsDateTime());
            Assert.True(bson.TryFind("x"u8, out element));
            Assert.Equal(BitConverter.GetBytes(number), element.AsBinary(out var subtype).ToArray());
            Assert.Equal(5, subtype);
            Assert.Equal(number, bson.FindDocument("o"u8)!.Value.FindDocument("v"u8)!.Value.FindInt64("0"u8));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Random_bytes_never_crash_the_reader() =>
        Prop.ForAll<byte[]>(bytes => Walk(bytes, 0)).QuickCheckThrowOnFailure();

    [Fact]
    public void Changed_documents_never_crash_the_reader()
    {
        var whole = Rich().Span.ToArray();
        Prop.ForAll<byte[], NonNegativeInt>((values, seed) =>
        {
            var changed = (byte[])whole.Clone();
            var at = seed.Get;
            foreach (var value in values)
            {
                at = ((at * 31) + value + 7) & int.MaxValue;
                changed[4 + (at % (changed.Length - 5))] = value;
            }

            Walk(changed, 0);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
        for (var position = 4; position < whole.Length; position++)
        {
            foreach (var value in new byte[] { 0, 1, 2, 3, 4, 5, 0x0B, 0x0C, 0x0F, 0x7F, 0x80, 0xFF })
            {
                var changed = (byte[])whole.Clone();
                changed[position] = value;
                Walk(changed, 0);
            }
        }
    }

    [Fact]
    public void A_length_that_does_not_fit_is_refused()
    {
        var bytes = Rich().Span.ToArray();
        bytes[0]++;
        Assert.Throws<BsonException>(() => new RawBson(bytes).Has("a"u8));
        Assert.Throws<BsonException>(() => new RawBson(Rich().Memory[..^1]).Has("a"u8));
    }

    private static RawBson Rich() => new BsonBuilder().Append("s", "text").Append("d", 1.5).AppendBinary("b", [1, 2, 3], 4).BeginDocument("o").Append("i", 7).Append("", "x").End()
        .BeginArray("v").Append("0", 1L).End().AppendRaw(BsonType.RegularExpression, "r", "a\0i\0"u8).AppendRaw(BsonType.JavaScriptWithScope, "w", [16, 0, 0, 0, 3, 0, 0, 0, 120, 121, 0, 5, 0, 0, 0, 0])
        .AppendRaw(BsonType.DbPointer, "p", [2, 0, 0, 0, 97, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).AppendRaw(BsonType.ObjectId, "o", new byte[12])
        .AppendRaw(BsonType.Decimal128, "c", new byte[16]).AppendNull("n").Append("t", new BsonTimestamp(1, 2)).AppendDateTime("a", -1).Append("f", false).ToBson();

    /// <summary>Reads everything in it by every getter: BsonException is the only way out.</summary>
    private static void Walk(ReadOnlySpan<byte> document, int depth)
    {
        try
        {
            var reader = new BsonReader(document);
            while (reader.Read())
            {
                var element = reader.Current;
                foreach (var getter in Getters)
                {
                    try
                    {
                        getter(element);
                    }
                    catch (BsonException)
                    {
                    }
                }

                if (element.Type is BsonType.Document or BsonType.Array && depth < 50)
                    Walk(element.Value, depth + 1);
            }
        }
        catch (BsonException)
        {
        }
    }

    private delegate void Getter(BsonElement element);

    private static readonly Getter[] Getters =
    [
        e => e.AsInt64(), e => e.AsInt32(), e => e.AsDouble(), e => e.AsBoolean(), e => e.AsString(), e => e.AsUtf8(), e => e.AsDocument(), e => e.AsTimestamp(),
        e => e.AsDateTime(), e => e.AsBinary(out _), e => _ = e.IsTruthy, e => _ = e.NameText,
    ];
}
