using System.Security.Cryptography;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

/// <summary>What is long, and what is many.</summary>
public sealed class GcsSizeTests : IDisposable
{
    private const int Length = 200 << 20;

    private readonly GcsPlace _place = new();

    // What this thread allocates is the writer's and the client's: the server keeps its bytes on the disk, and other tests run on other threads.
    [Fact]
    public void A_long_object_is_sent_and_read_in_the_memory_of_a_chunk()
    {
        var store = _place.NewStore(options => options with { ChunkSize = 8 << 20 });
        var block = GcsPlace.Noise(1 << 20);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using (var writer = store.Create("models/long", default))
        {
            for (var at = 0; at < Length; at += block.Length)
            {
                block[0] = (byte)(at >> 20);
                sent.AppendData(block);
                writer.Write(block);
            }

            writer.Commit();
        }

        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var stream = store.OpenRead("models/long", 0, default))
        {
            for (int read; (read = stream.Read(block)) > 0;)
                received.AppendData(block.AsSpan(0, read));
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(Length, store.Find("models/long", default)!.Length);
        Assert.Equal(sent.GetHashAndReset(), received.GetHashAndReset());
        Assert.True(allocated < 48 << 20, $"{allocated >> 20} MiB were allocated for {Length >> 20} MiB.");
        Assert.Equal(25, _place.Server.Requests.Count(request => request.StartsWith("PUT ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Many_objects_are_listed_page_by_page()
    {
        const int Count = 20_000;
        for (var number = 0; number < Count; number++)
            _place.Server.AddObject(GcsPlace.Bucket, $"volumes/{number * 7919 % Count:00000}.tar", []);
        var store = _place.NewStore();

        // Who stops early asks no further.
        Assert.Equal("volumes/00000.tar", store.List("", default).First().Key);
        Assert.Equal(1, Pages());
        Assert.Equal(Enumerable.Range(0, Count).Select(number => $"volumes/{number:00000}.tar"), store.List("volumes/", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Equal(1 + (Count / 1000), Pages());
        Assert.Equal(10, store.List("volumes/1234", default).Count());
    }

    public void Dispose() => _place.Dispose();

    private int Pages() => _place.Server.Requests.Count(request => request.Contains("/o?", StringComparison.Ordinal));
}
