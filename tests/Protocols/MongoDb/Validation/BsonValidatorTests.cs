using System.Buffers.Binary;
using System.Diagnostics;
using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public sealed class BsonValidatorTests
{
    [Fact]
    public void Every_valid_document_is_valid() =>
        Prop.ForAll(ArbitraryBson.Documents, document => BsonValidator.IsValid(document.Span, strictUtf8: true)).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void What_it_calls_valid_can_be_read_to_the_bottom() =>
        Prop.ForAll(ArbitraryBson.Documents, Arb.From(Gen.Choose(0, int.MaxValue)), (document, seed) =>
        {
            var random = new Random(seed);
            var bytes = document.Span.ToArray();
            for (var i = random.Next(4); i >= 0; i--)
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)random.Next(8);
            var valid = BsonValidator.TryValidate(bytes, out var flaw);
            return valid == CanBeRead(bytes) && (valid || flaw.Offset < bytes.Length);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));

    [Fact]
    public void Any_cut_is_found() =>
        Prop.ForAll(ArbitraryBson.Documents, document =>
        {
            for (var length = 0; length < document.Length; length++)
            {
                var cut = document.Span[..length].ToArray();
                if (BsonValidator.IsValid(cut))
                    return false;
                // Also where the length was made to fit.
                if (length < BsonReader.ShortestDocument)
                    continue;
                BinaryPrimitives.WriteInt32LittleEndian(cut, length);
                cut[^1] = 0;
                if (BsonValidator.IsValid(cut) != CanBeRead(cut))
                    return false;
            }

            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_bytes_never_crash_it() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length >= 5)
                BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
            return BsonValidator.TryValidate(bytes, out _) == CanBeRead(bytes);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    // Type and bytes of a value; what is wrong with it. Each would run past something, or leave something out.
    [Theory]
    [InlineData(0x02, "0000000000", "a string's length does not fit")]
    [InlineData(0x02, "0300000061", "a string's length does not fit")]
    [InlineData(0x02, "02000000616100", "a string does not end with a NUL")]
    [InlineData(0x02, "0200", "a string does not end")]
    [InlineData(0x0D, "FFFFFFFF00", "a string's length does not fit")]
    [InlineData(0x0C, "010000000000", "a value is longer than the document that it is in")]
    [InlineData(0x03, "0400000000", "an embedded document's length does not fit")]
    [InlineData(0x04, "0600000000", "an embedded document's length does not fit")]
    [InlineData(0x03, "0500000001", "an embedded document does not end with a NUL")]
    [InlineData(0x03, "0500", "an embedded document does not end")]
    [InlineData(0x05, "0100000000", "the length of binary data does not fit")]
    [InlineData(0x05, "FFFFFFFF00", "the length of binary data does not fit")]
    [InlineData(0x05, "00000000", "binary data does not end")]
    [InlineData(0x0B, "610062", "a regular expression does not end")]
    [InlineData(0x0B, "61", "a regular expression does not end")]
    [InlineData(0x0F, "0F00000001000000000500000000 00", "JavaScript with scope does not end where its length says")]
    [InlineData(0x0F, "0D000000010000000005000000", "JavaScript with scope does not end")]
    [InlineData(0x0F, "0F0000000100000000050000000 0", "the length of JavaScript with scope does not fit")]
    [InlineData(0x0F, "0E0000000200000000050000000 0", "a string does not end with a NUL")]
    [InlineData(0x0F, "0E0000000100000000060000000 0", "an embedded document's length does not fit")]
    [InlineData(0x01, "00000000000000", "a value is longer than the document that it is in")]
    [InlineData(0x07, "0000000000000000000000", "a value is longer than the document that it is in")]
    [InlineData(0x13, "000000000000000000000000000000", "a value is longer than the document that it is in")]
    [InlineData(0x08, "", "a Boolean is neither 0 nor 1")]
    [InlineData(0x14, "", "there is no type 0x14")]
    [InlineData(0x80, "", "there is no type 0x80")]
    public void Each_wrong_value_is_told(byte type, string value, string problem)
    {
        byte[] bytes = [0, 0, 0, 0, type, (byte)'a', 0, .. Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal)), 0];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);

        Assert.False(BsonValidator.TryValidate(bytes, out var flaw));
        Assert.Equal(new BsonFlaw(4, "a", problem), flaw);
        Assert.False(CanBeRead(bytes));
    }

    [Fact]
    public void A_flaw_has_a_path_and_a_place()
    {
        var document = new BsonBuilder().Append("x", 1).BeginDocument("a").BeginArray("b").AppendRaw(BsonType.Boolean, "0", [2]).End().End().ToBson();

        Assert.False(BsonValidator.TryValidate(document.Span, out var flaw));
        Assert.Equal("a.b.0", flaw.Path);
        Assert.Equal("a Boolean is neither 0 nor 1", flaw.Problem);
        Assert.Equal((byte)BsonType.Boolean, document.Span[flaw.Offset]);
        Assert.Contains("'a.b.0'", Assert.Throws<BsonException>(() => BsonValidator.Validate(document.Span)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UTF8_counts_only_when_asked()
    {
        var value = new BsonBuilder().AppendRaw(BsonType.String, "a"u8, [2, 0, 0, 0, 0xFF, 0]).ToBson();
        var name = new BsonBuilder().AppendRaw(BsonType.Null, [0xFF], []).ToBson();
        foreach (var document in new[] { value, name })
        {
            Assert.True(BsonValidator.IsValid(document.Span));
            Assert.False(BsonValidator.IsValid(document.Span, strictUtf8: true));
        }
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        Assert.True(BsonValidator.IsValid(Nested(BsonValidator.DeepestNesting).Span));
        Assert.False(BsonValidator.TryValidate(Nested(BsonValidator.DeepestNesting + 1).Span, out var flaw));
        Assert.Equal("documents are nested too deep", flaw.Problem);
    }

    [Fact]
    public void It_is_fast_and_allocates_nothing()
    {
        var builder = new BsonBuilder();
        for (var i = 0; i < 20; i++)
            builder.AppendRaw(BsonType.ObjectId, "_id", new byte[12]).Append("symbol", "BTCUSDT and more text of a usual length").Append("price", 1.5).BeginDocument("o").Append("n", 1).AppendDateTime("at", 5).End();
        var document = builder.ToBson();
        for (var i = 0; i < 2000; i++)
            Assert.True(BsonValidator.IsValid(document.Span));

        // The runtime itself allocates on this thread now and then (it swaps a method that got hot), so one clean round of many is what proves it; each validation that allocated would show in every round.
        var watch = Stopwatch.StartNew();
        Assert.Contains(0L, Enumerable.Range(0, 10).Select(_ => AllocatedBy(document, 2000)));
        // A bound far below what it does, so that a busy machine passes; the figure is for whoever looks.
        var rate = 20_000.0 * document.Length / watch.Elapsed.TotalSeconds / 1e6;
        Assert.True(rate > 50, $"{rate:F0} MB/s");
    }

    private static long AllocatedBy(RawBson document, int rounds)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < rounds; i++)
            BsonValidator.IsValid(document.Span);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [ToolsDataTheory]
    [InlineData("all_types.bson", true)]
    [InlineData("all_in_one_doc.bson", true)]
    [InlineData("sample.bson", true)]
    // Its array has an index that is out of order, which servers store.
    [InlineData("broken_array.bson", true)]
    // Its last byte, a new line, belongs to no document.
    [InlineData("invalid_field_name.bson", false)]
    [InlineData("bad_cstring.bson", false)]
    [InlineData("bad_type.bson", false)]
    [InlineData("partial_file.bson", false)]
    [InlineData("random_bytes.bson", false)]
    [InlineData("deep_nested.bson", false)]
    public void Documents_of_the_tools_own_tests(string file, bool valid)
    {
        ReadOnlySpan<byte> rest = File.ReadAllBytes(Path.Combine(ToolsDataTheoryAttribute.Folder!, "bsondump", "testdata", file));
        var all = true;
        while (all && rest.Length >= 4)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            all = length >= 5 && length <= rest.Length && BsonValidator.IsValid(rest[..length]);
            rest = all ? rest[length..] : rest;
        }

        Assert.Equal(valid, all && rest.IsEmpty);
    }

    private static RawBson Nested(int depth)
    {
        var document = RawBson.Empty;
        for (var i = 1; i < depth; i++)
            document = new BsonBuilder(document.Length + 16).Append("a", document).ToBson();
        return document;
    }

    // The reader checks one level; this goes down by its own word, and knows what the reader leaves open.
    private static bool CanBeRead(ReadOnlySpan<byte> document)
    {
        try
        {
            var reader = new BsonReader(document);
            while (reader.Read())
            {
                var element = reader.Current;
                if (element.Type == BsonType.Boolean && element.Value[0] > 1)
                    return false;
                if (element.Type is BsonType.Document or BsonType.Array && !CanBeRead(element.Value))
                    return false;
                if (element.Type == BsonType.JavaScriptWithScope && !CanBeRead(element.Value[(8 + BinaryPrimitives.ReadInt32LittleEndian(element.Value[4..]))..]))
                    return false;
            }

            return true;
        }
        catch (BsonException)
        {
            return false;
        }
    }
}
