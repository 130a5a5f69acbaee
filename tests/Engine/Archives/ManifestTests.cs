using System.Text;
using System.Text.Json;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

public sealed class ManifestTests
{
    private static readonly Gen<Manifest> Manifests =
        from words in ArbMap.Default.GeneratorFor<NonNull<string>>().ArrayOf(4)
        from numbers in ArbMap.Default.GeneratorFor<long>().ArrayOf(7)
        from seconds in Gen.Choose(0, int.MaxValue)
        from encryption in Gen.Elements(Encryption.None, Encryption.Passphrase, Encryption.Recipients)
        from component in Gen.Elements(Component.Config, Component.Volume, Component.MongoDb, Component.Model)
        from type in Gen.Elements(BackupType.Full, BackupType.Incremental, BackupType.Snapshot)
        from seal in Gen.Elements(null, "", "ab", new string('f', 64))
        select new Manifest
        {
            Format = 1,
            Id = "0011223344556677",
            RunId = "8899aabbccddeeff",
            Component = component,
            Type = type,
            Encryption = encryption,
            Codec = "gzip",
            Name = Short(words[0].Get),
            Archive = Short(words[1].Get),
            Host = Short(words[2].Get),
            Tool = Short(words[3].Get),
            Started = DateTimeOffset.UnixEpoch.AddSeconds(seconds),
            Completed = DateTimeOffset.UnixEpoch.AddSeconds(seconds).AddMilliseconds(numbers[0] % 1000),
            Entries = numbers[0],
            Changed = numbers[1],
            Vanished = numbers[2],
            PlainSize = numbers[3],
            Size = numbers[4],
            IndexSize = numbers[5],
            Sha256 = new string('a', 64),
            IndexSha256 = new string('b', 64),
            MongoDb = seal is null ? null : new DumpFacts(Short(words[0].Get), numbers[0] > 0, (int)(numbers[2] % 1000), numbers[3], numbers[1] > 0 ? Short(words[1].Get) : null, numbers[4] > 0 ? null : new OplogSpan("1:2", "3:4", numbers[5], new string('c', 64))),
            Hmac = seal,
            Increment = numbers[0] % 3 == 0 ? new IncrementFacts("0011223344556677", "8899aabbccddeeff", numbers[1], numbers[2], numbers[3]) : null,
            Content = numbers[1] % 3 == 0 ? new string('d', 64) : null,
            PlatformTime = numbers[2] % 3 == 0 ? DateTimeOffset.UnixEpoch.AddMilliseconds(numbers[3]) : null,
        };

    private static readonly Manifest Sample = Manifests.Sample(1, 5)[0] with { Hmac = null, MongoDb = null, Increment = null, Content = null, PlatformTime = null };

    [Fact]
    public void What_was_written_is_read() => Prop.ForAll(Manifests.ToArbitrary(), manifest => Manifest.Parse(manifest.ToJson()) == manifest).QuickCheckThrowOnFailure();

    [Fact]
    public void The_seal_holds_for_what_was_sealed_and_for_nothing_else() => Prop.ForAll(Manifests.Two().ToArbitrary(), pair =>
    {
        var (one, other) = pair;
        byte[] key = [1, 2, 3];
        var whole = one.WithHmac(key);
        return whole.HasHmacOf(key) && Manifest.Parse(whole.ToJson()).HasHmacOf(key) && !whole.HasHmacOf([1, 2, 4])
            && ((one with { Hmac = null }) == (other with { Hmac = null }) || !(other with { Hmac = whole.Hmac }).HasHmacOf(key));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_field_is_needed_known_and_there_once()
    {
        var json = Encoding.UTF8.GetString(Sample.ToJson());
        foreach (var line in json.Split('\n').Where(line => line.Contains("\": ", StringComparison.Ordinal)))
        {
            Assert.Throws<JsonException>(() => Parse(json.Replace(line, line.TrimEnd(',') + ",\n" + line, StringComparison.Ordinal)));
            Assert.Throws<JsonException>(() => Parse(json.Replace(line, line.Replace("\": ", "x\": ", StringComparison.Ordinal), StringComparison.Ordinal)));
            if (line.Contains(": \"", StringComparison.Ordinal))
                Assert.Throws<JsonException>(() => Parse(json.Replace(line, line[..(line.IndexOf(": ", StringComparison.Ordinal) + 2)] + "null" + (line.EndsWith(',') ? "," : ""), StringComparison.Ordinal)));
        }

        Assert.Throws<JsonException>(() => Parse(json.Replace("\"encryption\": \"", "\"encryption\": \"x", StringComparison.Ordinal)));
        Assert.Throws<JsonException>(() => Parse(json + "{}"));
        Assert.Throws<JsonException>(() => Parse(json.Replace("\"format\": 1", "\"format\": 3", StringComparison.Ordinal)));
        Assert.Throws<JsonException>(() => Parse(json.Replace("\"format\": 1", "\"format\": 0", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_format_number_is_the_lowest_that_can_say_it()
    {
        Assert.Equal(1, Sample.WithFormat().Format);
        Assert.Equal(2, (Sample with { Increment = new IncrementFacts("a", "b", 0, 0, 0) }).WithFormat().Format);
        Assert.Equal(2, (Sample with { Content = "c" }).WithFormat().Format);
        Assert.Equal(2, (Sample with { PlatformTime = DateTimeOffset.UnixEpoch }).WithFormat().Format);
    }

    [Fact]
    public void More_than_a_head_is_refused()
    {
        var json = Encoding.UTF8.GetString(Sample.ToJson());
        var room = Manifest.MaximumLength - Encoding.UTF8.GetByteCount(json);

        Parse(json + new string(' ', room));
        Assert.Throws<JsonException>(() => Parse(json + new string(' ', room + 1)));
    }

    [Fact]
    public void Bytes_that_are_no_manifest_throw_JsonException_and_nothing_else()
    {
        var random = new Random(7);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = Sample.ToJson();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                Manifest.Parse(bytes);
            }
            catch (JsonException)
            {
                // As it should be.
            }
        }
    }

    private static Manifest Parse(string json) => Manifest.Parse(Encoding.UTF8.GetBytes(json));

    // What is not well-formed UTF-16 has no UTF-8, so no name of ours holds it.
    private static string Short(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, 60)]));
}
