using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

public sealed class GcsStoreTests : StoreContract, IDisposable
{
    private readonly GcsPlace _place = new();

    public GcsStoreTests() => (Store, Again) = (_place.NewStore(), _place.NewStore());

    protected override IStore Store { get; }

    protected override IStore Again { get; }

    [Fact]
    public void The_run_stands_beside_the_object()
    {
        GcsPlace.Put(Store, "config/small", [1], "run-1");
        GcsPlace.Put(Store, "config/long", GcsPlace.Noise(1_500_000), "run-2");

        Assert.Equal("run-1", Again.Find("config/small", default)!.RunId);
        Assert.Equal("run-2", Again.Find("config/long", default)!.RunId);
        Assert.Equal("run-2", _place.Server.Metadata(GcsPlace.Bucket, "config/long")["botbackup-run"]);
    }

    // One granule, around the chunk, and several chunks: the last part may be empty, short or whole.
    [Theory]
    [InlineData(262_144)]
    [InlineData(524_287)]
    [InlineData(524_288)]
    [InlineData(524_289)]
    [InlineData(1_048_576)]
    [InlineData(3_000_001)]
    public void Any_length_arrives(int length)
    {
        var content = GcsPlace.Noise(length);
        GcsPlace.Put(Store, "config/a", content);

        Assert.Equal(content, _place.Server.Content(GcsPlace.Bucket, "config/a"));
        Assert.Equal(content[^10..], GcsPlace.Get(Again, "config/a", length - 10));
        Assert.Equal(0, _place.Server.OpenUploads);
    }

    [Fact]
    public void A_write_of_more_than_a_chunk_at_once_arrives()
    {
        var content = GcsPlace.Noise(2_000_000);
        using (var writer = Store.Create("config/a", default))
        {
            writer.Write(content.AsSpan(0, 1));
            writer.Write(content.AsSpan(1));
            writer.Commit();
        }

        Assert.Equal(content, _place.Server.Content(GcsPlace.Bucket, "config/a"));
    }

    [Theory]
    [InlineData("backups/team/a", "", "team/a")]
    [InlineData("gs://backups/team/", "a/", "team/a")]
    [InlineData("backups", "/team/a/", "team/a")]
    public void A_prefix_is_a_store_of_its_own(string bucket, string prefix, string expected)
    {
        var store = _place.NewStore(options => options with { Bucket = bucket, Prefix = prefix });
        GcsPlace.Put(Store, "team/ab", [1]);
        GcsPlace.Put(Store, "outside", [1]);
        GcsPlace.Put(store, "config/x", [2]);
        store.AcquireLease("config", default).Dispose();

        Assert.Equal("gs://backups/" + expected, store.Location);
        Assert.Equal($"gs://backups/{expected}/config/x", store.Locate("config/x"));
        Assert.Equal(["config/x"], store.List("", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Equal(["outside", expected + "/config/x", "team/ab"], _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
        Assert.Equal([2], GcsPlace.Get(store, "config/x"));
        store.Delete("config/x", default);
        Assert.Empty(store.List("", default));
    }

    [Fact]
    public void Leases_and_markers_of_empty_folders_are_no_objects()
    {
        _place.Server.AddObject(GcsPlace.Bucket, "config/", []);
        _place.Server.AddObject(GcsPlace.Bucket, "config/a", []);
        using var lease = Store.AcquireLease("config", default);

        Assert.Equal(["config/a"], Again.List("", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Contains(".botbackup/config.lease", _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
    }

    // The server lists by UTF-8, in which U+FF5E comes before U+1F600; by UTF-16 it is the other way round.
    [Fact]
    public void The_order_is_ordinal_whatever_the_names_are()
    {
        string[] keys = ["config/a", "config/\u00e9", "config/\ud7ff", "config/\ue000x", "config/\uff5e", "config/\U0001f600", "config/\U0001f600/a", "config/z", "volumes/a"];
        foreach (var key in keys)
            _place.Server.AddObject(GcsPlace.Bucket, key, [1]);
        var store = _place.NewStore(options => options with { PageSize = 2 });

        Assert.Equal(keys.Order(StringComparer.Ordinal), store.List("", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Equal([1], GcsPlace.Get(store, "config/\U0001f600"));
    }

    [Theory]
    [InlineData("config/a b+c%2F?#&.tar")]
    [InlineData("models/größe 模型.tar")]
    public void Names_are_sent_as_they_are(string key)
    {
        GcsPlace.Put(Store, key, [1, 2]);

        Assert.Equal([key], _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
        Assert.Equal([1, 2], GcsPlace.Get(Again, key));
        Assert.Equal([key], Again.List(key[..9], default).Select(one => one.Key), StringComparer.Ordinal);
        Store.Delete(key, default);
        Assert.Null(Again.Find(key, default));
    }

    [Fact]
    public void A_key_that_no_object_can_have_is_refused() => Assert.Equal(FailureKind.AccessDenied, Kind(() => Store.Find("config/a\nb", default)));

    [Fact]
    public void What_is_taken_is_said_and_a_long_upload_learns_it_at_its_first_chunk()
    {
        GcsPlace.Put(Store, "config/a", [1]);
        var small = GcsPlace.Fails(() => GcsPlace.Put(Store, "config/a", [2]));
        using var writer = Store.Create("config/a", default);
        var early = GcsPlace.Fails(() => writer.Write(new byte[1 << 20]));

        Assert.Equal((FailureKind.AccessDenied, FailureKind.AccessDenied), (small.Kind, early.Kind));
        Assert.Contains("already", early.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(writer.Commit);
    }

    [Fact]
    public void A_key_that_is_taken_during_a_long_upload_stays_the_others()
    {
        using (var late = Store.Create("config/a", default))
        {
            late.Write(GcsPlace.Noise(1_200_000));
            GcsPlace.Put(Again, "config/a", [1]);
            Assert.Equal(FailureKind.AccessDenied, Kind(late.Commit));
        }

        Assert.Equal([1], GcsPlace.Get(Store, "config/a"));
        Assert.Equal(0, _place.Server.OpenUploads);
    }

    [Fact]
    public void An_abandoned_upload_is_cancelled()
    {
        using (var writer = Store.Create("config/a", default))
        {
            writer.Write(GcsPlace.Noise(1_200_000));
            Assert.Equal(1, _place.Server.OpenUploads);
        }

        Assert.Equal(0, _place.Server.OpenUploads);
        Assert.Contains(_place.Server.Requests, request => request.StartsWith("DELETE /upload", StringComparison.Ordinal) && request.EndsWith(" 499", StringComparison.Ordinal));
        Assert.Empty(_place.Server.Names(GcsPlace.Bucket));
    }

    [Fact]
    public void An_empty_bucket_and_no_bucket_are_two_things()
    {
        Assert.Empty(Store.List("", default));
        var store = _place.NewStore(options => options with { Bucket = "nowhere/deep" });
        Action[] calls =
        [
            () => _ = store.List("", default).ToList(), () => store.Find("a", default), () => store.OpenRead("a", 0, default).Dispose(), () => store.Delete("a", default),
            () => GcsPlace.Put(store, "a", [1]), () => GcsPlace.Put(store, "a", new byte[1 << 20]), () => store.AcquireLease("config", default).Dispose(),
        ];
        foreach (var call in calls)
        {
            var failure = GcsPlace.Fails(call);
            Assert.Equal(FailureKind.BucketMissing, failure.Kind);
            Assert.Contains("'nowhere'", failure.Message, StringComparison.Ordinal);
        }
    }

    // Others that speak the API answer with the bare status.
    [Theory]
    [InlineData(1, FailureKind.BackupNotFound)]
    [InlineData(2, FailureKind.BucketMissing)]
    public void Without_words_the_bucket_itself_is_asked(int times, FailureKind expected)
    {
        _place.Server.Break(new(BotCore.Backup.TestServers.GoogleStorage.GoogleFaultKind.Answer, "GET", "/b/") { Status = 404, Reason = "notFound", Message = "Not Found", Times = times });

        Assert.Equal(expected, Kind(() => _place.NewStore().OpenRead("config/a", 0, default).Dispose()));
    }

    public void Dispose() => _place.Dispose();
}
