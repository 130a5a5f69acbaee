using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

public sealed class CloudLayoutTests
{
    [Theory]
    [InlineData("mongodb/2025/11/mongodb_full_20251118_020000.tar.gz.gpg", "mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz.gpg")]
    [InlineData("mongodb/2025/11/mongodb_full_20251118_020000.tar.gz.proof.20261201_025611Z.archive.1a2b3c4d.json", "mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz.proof.20261201_025611Z.archive.1a2b3c4d.json")]
    [InlineData("mongodb/2025/11/mongodb_full_20251118_020000.tar.gz.gpg.manifest.json", "mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz.gpg.manifest.json")]
    [InlineData("mongodb/2025/11/mongodb_full_20251118_020000.tar.gz.intent", "mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz.intent")]
    [InlineData("mongodb/2025/11/mongodb_incremental_20251118_030000.tar.gz.sha256", "mongodb_incremental/2025/11/mongodb_incremental_20251118_030000.tar.gz.sha256")]
    [InlineData("mongodb/2025/11/mongodb_gap_1763434800_1.json", "mongodb_incremental/2025/11/mongodb_gap_1763434800_1.json")]
    [InlineData("volumes/redis_data_20251118_030000.tar.gz", "volumes/redis_data_20251118_030000.tar.gz")]
    [InlineData("config/mongodb_full_20251118_030000.tar.gz", "config/mongodb_full_20251118_030000.tar.gz")]
    [InlineData("mongodb/2025/11/mongodb_gap_1.txt", "mongodb/2025/11/mongodb_gap_1.txt")]
    [InlineData("mongodb/2025/11/other", "mongodb/2025/11/other")]
    [InlineData("mongodb/2025/11/deep/mongodb_full_1", "mongodb/2025/11/deep/mongodb_full_1")]
    [InlineData("mongodb/2025/mongodb_full_1", "mongodb/2025/mongodb_full_1")]
    [InlineData("mongodb_full/x.txt", "mongodb_full/x.txt")]
    [InlineData("mongodb_full/2025/11/mongodb_incremental_1", "mongodb_full/2025/11/mongodb_incremental_1")]
    [InlineData("mongodb/2025/11/mongodb_full_", "mongodb/2025/11/mongodb_full_")]
    public void Keys_have_the_names_of_the_platform(string key, string name)
    {
        Assert.Equal(name, CloudLayout.Map(key));
        Assert.Equal(key, CloudLayout.Map(name));
    }

    [Fact]
    public void Mapping_twice_gives_the_key_and_no_two_keys_have_one_name() => Prop.ForAll(Keys().ToArbitrary(), Keys().ToArbitrary(), (one, other) =>
        string.Equals(CloudLayout.Map(CloudLayout.Map(one)), one, StringComparison.Ordinal)
        && string.Equals(one, other, StringComparison.Ordinal) == string.Equals(CloudLayout.Map(one), CloudLayout.Map(other), StringComparison.Ordinal)).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    // Whatever stands there: the listing of the decorator is the mapped listing of the store, sorted, for every prefix.
    [Fact]
    public void Every_listing_is_whole_and_in_order() => Prop.ForAll(Keys().ListOf().ToArbitrary(), Keys().ToArbitrary(), Gen.Choose(0, 40).ToArbitrary(), (names, key, cut) =>
    {
        var inner = new ListedStore(names);
        var prefix = key[..Math.Min(cut, key.Length)];
        var expected = inner.Names.Select(CloudLayout.Map).Where(one => one.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        using var store = new CloudLayoutStore(inner);
        return expected.SequenceEqual(store.List(prefix, default).Select(one => one.Key), StringComparer.Ordinal);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Listings_are_merged_lazily_and_given_back()
    {
        var inner = new ListedStore(["config/a", "mongodb_full/2025/11/mongodb_full_1", "mongodb_incremental/2025/11/mongodb_incremental_1", "mongodb_incremental/2025/12/mongodb_incremental_2"]);
        using var store = new CloudLayoutStore(inner);
        Assert.Equal("config/a", store.List("", default).First().Key);

        Assert.Equal(0, inner.Open);
        inner.Asked.Clear();
        Assert.Equal(
            ["mongodb/2025/11/mongodb_full_1", "mongodb/2025/11/mongodb_incremental_1"],
            store.List("mongodb/2025/11/", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Equal(["mongodb/2025/11/", "mongodb_full/2025/11/", "mongodb_incremental/2025/11/"], inner.Asked.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    private static Gen<string> Keys()
    {
        var folder = Gen.Elements("mongodb/", "mongodb_full/", "mongodb_incremental/", "mongodb_fulls/", "mongo", "config/", "volumes/", "");
        var month = Gen.Elements("2025/11/", "2025/12/", "2026/01/", "2025/1/", "20251/11/", "x/", "");
        var name = Gen.Elements("mongodb_full_", "mongodb_incremental_", "mongodb_gap_", "mongodb_gap_1.json", "mongodb_", "");
        var rest = Gen.Elements("", "1", "20251118_020000.tar.gz", "a.manifest.json", ".json", "/deep", "\n", "x");
        return from a in folder from b in month from c in name from d in rest select a + b + c + d;
    }

    // A store of names alone.
    private sealed class ListedStore(IEnumerable<string> names) : IStore
    {
        public string[] Names { get; } = [.. names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

        public List<string> Asked { get; } = [];

        public int Open { get; private set; }

        public string Name => "listed";

        public string Location => "nowhere";

        public long? FreeSpace => null;

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token)
        {
            Asked.Add(prefix);
            Open++;
            try
            {
                foreach (var name in Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
                    yield return new StoredObject(name, 1);
            }
            finally
            {
                Open--;
            }
        }

        public StoredObject? Find(string key, CancellationToken token) => throw new NotSupportedException();

        public Stream OpenRead(string key, long offset, CancellationToken token) => throw new NotSupportedException();

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) => throw new NotSupportedException();

        public void Delete(string key, CancellationToken token) => throw new NotSupportedException();

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => throw new NotSupportedException();

        public Engine.Stores.Leases.StoreLease AcquireLease(string folder, CancellationToken token) => throw new BackupException(FailureKind.Locked, "Held.", "Wait.");

        public string Locate(string key) => key;
    }
}
