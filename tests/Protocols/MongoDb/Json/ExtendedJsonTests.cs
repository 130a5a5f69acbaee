using System.Globalization;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public sealed class ExtendedJsonTests
{
    // Hex of the value and canonical text, from the specification's corpus (bson-corpus) and from what Go's driver writes.
    [Theory]
    [InlineData("01", "000000000000F03F", """{"$numberDouble":"1.0"}""")]
    [InlineData("01", "0000000000000080", """{"$numberDouble":"-0.0"}""")]
    [InlineData("01", "000000000000F07F", """{"$numberDouble":"Infinity"}""")]
    [InlineData("01", "000000000000F0FF", """{"$numberDouble":"-Infinity"}""")]
    [InlineData("01", "000000000000F87F", """{"$numberDouble":"NaN"}""")]
    [InlineData("01", "2A1BF5F41022B143", """{"$numberDouble":"1.2345678921232E+18"}""")]
    [InlineData("01", "00000000804F1241", """{"$numberDouble":"300000.0"}""")]
    [InlineData("01", "0000000080842E41", """{"$numberDouble":"1E+06"}""")]
    [InlineData("01", "2D431CEBE2361A3F", """{"$numberDouble":"0.0001"}""")]
    [InlineData("01", "F168E388B5F8E43E", """{"$numberDouble":"1E-05"}""")]
    [InlineData("01", "9A9999999999B93F", """{"$numberDouble":"0.1"}""")]
    [InlineData("10", "FFFFFFFF", """{"$numberInt":"-1"}""")]
    [InlineData("12", "FFFFFFFFFFFFFFFF", """{"$numberLong":"-1"}""")]
    [InlineData("09", "C5D8D6CC3B010000", """{"$date":{"$numberLong":"1356351330501"}}""")]
    [InlineData("07", "56E1FC72E0C917E9C4714161", """{"$oid":"56e1fc72e0c917e9c4714161"}""")]
    [InlineData("11", "2A00000015CD5B07", """{"$timestamp":{"t":123456789,"i":42}}""")]
    [InlineData("11", "0000000000000000", """{"$timestamp":{"t":0,"i":0}}""")]
    [InlineData("11", "FFFFFFFFFFFFFFFF", """{"$timestamp":{"t":4294967295,"i":4294967295}}""")]
    [InlineData("05", "0200000000FFFF", """{"$binary":{"base64":"//8=","subType":"00"}}""")]
    [InlineData("05", "060000000202000000FFFF", """{"$binary":{"base64":"//8=","subType":"02"}}""")]
    [InlineData("05", "0200000080FFFF", """{"$binary":{"base64":"//8=","subType":"80"}}""")]
    [InlineData("05", "0000000000", """{"$binary":{"base64":"","subType":"00"}}""")]
    [InlineData("0B", "61626300696D00", """{"$regularExpression":{"pattern":"abc","options":"im"}}""")]
    [InlineData("0C", "0200000062005 6E1FC72E0C917E9C4714161", """{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}""")]
    [InlineData("0D", "020000006200", """{"$code":"b"}""")]
    [InlineData("0E", "020000006200", """{"$symbol":"b"}""")]
    [InlineData("0F", "190000000500000061626364000C000000106200010000000 0", """{"$code":"abcd","$scope":{"b":{"$numberInt":"1"}}}""")]
    [InlineData("06", "", """{"$undefined":true}""")]
    [InlineData("0A", "", "null")]
    [InlineData("FF", "", """{"$minKey":1}""")]
    [InlineData("7F", "", """{"$maxKey":1}""")]
    [InlineData("08", "01", "true")]
    [InlineData("02", "0A000000225C0A0D09080C0100 00", "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u0000\"")]
    [InlineData("02", "04000000E280A800", "\"\\u2028\"")]
    public void Canonical_text_is_that_of_the_tools(string type, string value, string json)
    {
        var raw = Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal));
        var document = new BsonBuilder().AppendRaw((BsonType)byte.Parse(type, NumberStyles.HexNumber, CultureInfo.InvariantCulture), "a", raw).ToBson();
        Assert.Equal("{\"a\":" + json + "}", ExtendedJson.ToText(document));
        Assert.Equal(document.Span.ToArray(), ExtendedJson.Read("{\"a\":" + json + "}").Span.ToArray());
    }

    [Theory]
    [InlineData(1e23, "1E+23")]
    [InlineData(9.999999999999997e22, "9.999999999999997E+22")]
    [InlineData(1.0000000000000001e23, "1.0000000000000001E+23")]
    [InlineData(123456.0, "123456.0")]
    [InlineData(1234567.0, "1.234567E+06")]
    [InlineData(-123456.789, "-123456.789")]
    [InlineData(1234567.8, "1.2345678E+06")]
    [InlineData(0.00012, "0.00012")]
    [InlineData(5e-324, "5E-324")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157E+308")]
    public void Doubles_are_laid_out_as_Go_does(double value, string text) =>
        Assert.Equal("{\"d\":{\"$numberDouble\":\"" + text + "\"}}", ExtendedJson.ToText(new BsonBuilder().Append("d", value).ToBson()));

    // Text, high and low bits: from the specification's corpus (decimal128-1.json).
    [Theory]
    [InlineData("0", "3040000000000000", "0000000000000000")]
    [InlineData("-0", "B040000000000000", "0000000000000000")]
    [InlineData("1", "3040000000000000", "0000000000000001")]
    [InlineData("0.1", "303E000000000000", "0000000000000001")]
    [InlineData("0.1234567890123456789012345678901234", "2FFC3CDE6FFF9732", "DE825CD07E96AFF2")]
    [InlineData("9.999999999999999999999999999999999E+6144", "5FFFED09BEAD87C0", "378D8E63FFFFFFFF")]
    [InlineData("1E-6176", "0000000000000000", "0000000000000001")]
    [InlineData("-1E-6176", "8000000000000000", "0000000000000001")]
    [InlineData("0E+6111", "5FFE000000000000", "0000000000000000")]
    [InlineData("0E-6176", "0000000000000000", "0000000000000000")]
    [InlineData("0.000001234", "302E000000000000", "00000000000004D2")]
    [InlineData("1.234E-7", "302C000000000000", "00000000000004D2")]
    [InlineData("1E+3", "3046000000000000", "0000000000000001")]
    [InlineData("Infinity", "7800000000000000", "0000000000000000")]
    [InlineData("-Infinity", "F800000000000000", "0000000000000000")]
    [InlineData("NaN", "7C00000000000000", "0000000000000000")]
    public void Decimals_have_the_text_of_the_specification(string text, string high, string low)
    {
        var value = new byte[16];
        BitConverter.TryWriteBytes(value, ulong.Parse(low, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        BitConverter.TryWriteBytes(value.AsSpan(8), ulong.Parse(high, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

        Assert.Equal(text, ExtendedJsonDecimal.Format(value));
        var read = new byte[16];
        Assert.True(ExtendedJsonDecimal.TryParse(text, read));
        Assert.Equal(value, read);
    }

    [Theory]
    [InlineData("1E6112", "1.0E+6112")]
    [InlineData("10E-6177", "1E-6176")]
    [InlineData("10000000000000000000000000000000000", "1.000000000000000000000000000000000E+34")]
    [InlineData("0E9999", "0E+6111")]
    [InlineData("+1.50", "1.50")]
    [InlineData("-inf", "-Infinity")]
    [InlineData(".5", "0.5")]
    public void Decimals_are_fitted_without_rounding(string text, string canonical)
    {
        var value = new byte[16];
        Assert.True(ExtendedJsonDecimal.TryParse(text, value));
        Assert.Equal(canonical, ExtendedJsonDecimal.Format(value));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("1E")]
    [InlineData("1E6145")]
    [InlineData("1E-6177")]
    [InlineData("12345678901234567890123456789012345")]
    [InlineData("1 ")]
    [InlineData("--1")]
    [InlineData("1.2.3")]
    [InlineData("1e99999999999")]
    [InlineData("0x10")]
    [InlineData("١")]
    public void Decimals_that_do_not_fit_are_refused(string text) => Assert.False(ExtendedJsonDecimal.TryParse(text, new byte[16]));

    [Fact]
    public void Coefficients_past_34_digits_count_as_zero()
    {
        byte[] value = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x6C];
        Assert.Equal("0", ExtendedJsonDecimal.Format(value)[..1]);
        byte[] most = [0, 0, 0, 0, 0x64, 0x8E, 0x8D, 0x37, 0xC0, 0x87, 0xAD, 0xBE, 0x09, 0xED, 0x41, 0x30];
        Assert.Equal("0", ExtendedJsonDecimal.Format(most));
    }

    [Fact]
    public void Every_document_comes_back_byte_for_byte() =>
        Prop.ForAll(ArbitraryBson.Documents, document => ExtendedJson.Read(ExtendedJson.Write(document.Span)).Span.SequenceEqual(document.Span))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Theory]
    [InlineData("""{"a":1,"b":2147483648,"c":-2147483649,"d":9223372036854775808,"e":1.0,"f":1e2}""", "Int32 Int64 Int64 Double Double Double")]
    [InlineData("""{"a":{"$date":123},"b":{"$date":"2012-12-24T12:15:30.501Z"},"c":{"$binary":"AQ==","$type":"05"},"d":{"$uuid":"c8edabc3-f738-4ca3-b68d-ab92a91478a3"}}""", "DateTime DateTime Binary Binary")]
    [InlineData("""{"a":{"$regex":"x","$options":"i"},"b":{"$type":2},"c":{"$ref":"c","$id":1},"d":{"$exists":true}}""", "Document Document Document Document")]
    [InlineData("""{"a":{"$scope":{},"$code":"x"},"b":[],"c":{},"d":[1,{"$numberLong":"1"}]}""", "JavaScriptWithScope Array Document Array")]
    public void Relaxed_and_older_forms_are_read(string json, string types)
    {
        var found = new List<BsonType>();
        var reader = ExtendedJson.Read(json).Read();
        while (reader.Read())
            found.Add(reader.Current.Type);
        Assert.Equal(types, string.Join(' ', found));
    }

    [Fact]
    public void Order_and_duplicates_stay() =>
        Assert.Equal("""{"b":"1","a":"2","b":"3"}""", ExtendedJson.ToText(ExtendedJson.Read("""{ "b" : "1", "a":"2",  "b":"3" } """)));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("{} {}")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{"a":{"$oid":"56e1fc72e0c917e9c471416"}}""")]
    [InlineData("""{"a":{"$oid":"zze1fc72e0c917e9c4714161"}}""")]
    [InlineData("""{"a":{"$numberInt":"2147483648"}}""")]
    [InlineData("""{"a":{"$numberInt":"1","b":2}}""")]
    [InlineData("""{"a":{"$numberInt":1}}""")]
    [InlineData("""{"a":{"$numberDouble":"one"}}""")]
    [InlineData("""{"a":{"$timestamp":{"t":1}}}""")]
    [InlineData("""{"a":{"$timestamp":{"t":-1,"i":1}}}""")]
    [InlineData("""{"a":{"$timestamp":{"t":1,"t":1}}}""")]
    [InlineData("""{"a":{"$binary":{"base64":"!","subType":"00"}}}""")]
    [InlineData("""{"a":{"$binary":{"base64":""}}}""")]
    [InlineData("""{"a":{"$regularExpression":{"pattern":"a\u0000b","options":""}}}""")]
    [InlineData("""{"a\u0000b":1}""")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":1e999}""")]
    [InlineData("""{"a":{"$undefined":false}}""")]
    [InlineData("""{"a":{"$minKey":2}}""")]
    [InlineData("""{"a":{"$date":"yesterday, or so"}}""")]
    [InlineData("""{"a":{"$dbPointer":{"$ref":"b"}}}""")]
    [InlineData("""{"a":{"$code":"x","$code":"y"}}""")]
    [InlineData("""{"a":{"$scope":{}}}""")]
    [InlineData("""{"a":{"$uuid":"1"}}""")]
    public void Text_that_is_not_right_is_refused(string json) => Assert.Throws<BsonException>(() => ExtendedJson.Read(json));

    [Fact]
    public void Nesting_is_bounded()
    {
        const int Depth = BsonValidator.DeepestNesting;
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", Depth - 1)) + "{}" + new string('}', Depth - 1);
        Assert.True(BsonValidator.IsValid(ExtendedJson.Read(deep).Span));
        Assert.Throws<BsonException>(() => ExtendedJson.Read("{\"a\":" + deep + "}"));
        Assert.Throws<BsonException>(() => ExtendedJson.Read(string.Concat(Enumerable.Repeat("{\"a\":[", 100_000))));
    }

    [Fact]
    public void Any_damage_to_the_text_is_an_exception_or_another_document() =>
        Prop.ForAll(ArbitraryBson.Documents, Arb.From(Gen.Choose(0, int.MaxValue)), (document, seed) =>
        {
            var random = new Random(seed);
            var json = ExtendedJson.Write(document.Span);
            for (var i = 0; i < 3; i++)
                json[random.Next(json.Length)] = (byte)random.Next(256);
            try
            {
                return BsonValidator.IsValid(ExtendedJson.Read(json).Span);
            }
            catch (BsonException)
            {
                return true;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Documents_named_as_wrappers_do_not_come_back()
    {
        var document = new BsonBuilder().BeginDocument("a").Append("$numberInt", "5").End().ToBson();
        Assert.False(ExtendedJson.Read(ExtendedJson.Write(document.Span)).Span.SequenceEqual(document.Span));
        var refused = new BsonBuilder().BeginDocument("a").Append("$oid", 5).End().ToBson();
        Assert.Throws<BsonException>(() => ExtendedJson.Read(ExtendedJson.Write(refused.Span)));
    }

    [ToolsDataTheory]
    [InlineData("common/txn/testdata/oplog_entries.json")]
    [InlineData("mongorestore/testdata/transactions.json")]
    [InlineData("mongorestore/testdata/index_collation.json")]
    [InlineData("mongorestore/testdata/oplogs/oplog.json")]
    [InlineData("mongorestore/testdata/oplogs/json/vectored_insert.json")]
    [InlineData("mongorestore/testdata/oplogs/json/drop_db.json")]
    [InlineData("mongorestore/testdata/oplogs/json/collMod.json")]
    public void Texts_of_the_tools_own_tests_are_read(string file)
    {
        var path = Path.Combine(ToolsDataTheoryAttribute.Folder!, file);
        var isLines = Path.GetFileName(path) is "oplog.json" or "vectored_insert.json";
        foreach (var text in isLines ? File.ReadAllLines(path).Where(line => line.Length > 0) : [File.ReadAllText(path)])
        {
            var document = ExtendedJson.Read(text);
            Assert.True(ExtendedJson.Read(ExtendedJson.Write(document.Span)).Span.SequenceEqual(document.Span));
        }
    }

    [ToolsDataTheory]
    [InlineData("sample")]
    public void It_writes_what_bsondump_writes(string name)
    {
        var folder = Path.Combine(ToolsDataTheoryAttribute.Folder!, "bsondump", "testdata");
        ReadOnlySpan<byte> rest = File.ReadAllBytes(Path.Combine(folder, name + ".bson"));
        var lines = new List<string>();
        while (!rest.IsEmpty)
        {
            var length = BitConverter.ToInt32(rest);
            lines.Add(Encoding.UTF8.GetString(ExtendedJson.Write(rest[..length])));
            rest = rest[length..];
        }

        Assert.Equal(File.ReadAllLines(Path.Combine(folder, name + ".json")), lines, StringComparer.Ordinal);
    }

    [Fact]
    public void What_is_not_UTF8_is_written_as_Go_does()
    {
        var document = new BsonBuilder().AppendRaw(BsonType.String, "a"u8, [4, 0, 0, 0, (byte)'x', 0xC3, 0x28, 0]).ToBson();
        Assert.Equal("{\"a\":\"x\\ufffd(\"}", Encoding.UTF8.GetString(ExtendedJson.Write(document.Span)));
    }
}
