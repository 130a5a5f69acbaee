using System.Security.Cryptography;
using System.Text.Json;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

/// <summary>Keeps what a reader delivers.</summary>
internal sealed class Recorder : IDumpVisitor
{
    private int _inside;

    public DumpVersions? Seen { get; private set; }

    public Dictionary<DumpNamespace, CollectionMetadata> Metadatas { get; } = [];

    public Dictionary<DumpNamespace, List<byte[]>> Documents { get; } = [];

    public List<DumpNamespace> Ended { get; } = [];

    public List<byte[]> Entries { get; } = [];

    public List<string> Others { get; } = [];

    public void Versions(DumpVersions versions) => Alone(() => Seen = versions);

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata) => Alone(() => Metadatas.Add(collection, metadata));

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
    {
        var copy = bson.ToArray();
        Alone(() => (Documents.TryGetValue(collection, out var list) ? list : Documents[collection] = []).Add(copy));
    }

    public void End(DumpNamespace collection) => Alone(() => Ended.Add(collection));

    public void Oplog(ReadOnlySpan<byte> entry)
    {
        var copy = entry.ToArray();
        Alone(() => Entries.Add(copy));
    }

    public void Other(string path) => Alone(() => Others.Add(path));

    /// <summary>Holds count, content and index names of every collection of bot_core against dir.expected.json, as another program found them.</summary>
    public void AssertExpected(bool sameTrades = true)
    {
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Unpacked.Fixture("dir.expected.json")));
        foreach (var one in expected.RootElement.EnumerateObject())
        {
            var name = new DumpNamespace("bot_core", one.Name);
            var documents = Documents.GetValueOrDefault(name, []);
            Assert.Contains(name, Ended);
            var indexes = Metadatas[name].Indexes.Select(index => index.FindString("name"u8)!);
            Assert.Equal(one.Value.GetProperty("indexes").EnumerateArray().Select(index => index.GetString()!), indexes, StringComparer.Ordinal);
            if (!sameTrades && one.Name is "trades")
                continue;
            Assert.Equal(one.Value.GetProperty("documents").GetInt32(), documents.Count);
            Assert.Equal(one.Value.GetProperty("xorSha256").GetString(), Xor(documents));
        }

        var view = Metadatas[new DumpNamespace("bot_core", "view1")];
        Assert.Equal(CollectionMetadata.View, view.EffectiveType);
        Assert.Equal("""{"$sort":{"sym":{"$numberInt":"1"},"at":{"$numberInt":"-1"}}}""", ExtendedJson.ToText(Second(view.Options.FindDocument("pipeline"u8)!.Value)));
    }

    private static RawBson Second(RawBson array) => array.FindDocument("1"u8)!.Value;

    private static string Xor(List<byte[]> documents)
    {
        var all = new byte[32];
        foreach (var hash in documents.Select(document => SHA256.HashData(document)))
        {
            for (var i = 0; i < all.Length; i++)
                all[i] ^= hash[i];
        }

        return Convert.ToHexStringLower(all);
    }

    private void Alone(Action act)
    {
        Assert.Equal(1, Interlocked.Increment(ref _inside));
        act();
        Interlocked.Decrement(ref _inside);
    }
}
