using System.Buffers.Binary;
using System.Diagnostics;
using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class BlockPipelineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Members_come_in_order_and_whole(int threads)
    {
        using var target = new MemoryStream();
        using var plain = new MemoryStream();
        var tags = new List<int>();
        var random = new Random(threads);
        using (var pipeline = new BlockPipeline(Samples.Native, 1, threads, Sink))
        {
            for (var i = 0; i < 300; i++)
            {
                var block = pipeline.Rent();
                Assert.Equal(0, block.Length);
                Assert.Null(block.Tag);
                var data = Samples.Text(random.Next(i % 50 == 0 ? Samples.BlockSize : 5000), i);
                data.CopyTo(block.Buffer, 0);
                block.Length = data.Length;
                block.Tag = i;
                plain.Write(data);
                pipeline.Submit(block);
            }

            pipeline.Complete();
        }

        Assert.Equal(Enumerable.Range(0, 300), tags);
        Assert.Equal(plain.ToArray(), Samples.ReadAll(Samples.Managed, target.ToArray()));

        void Sink(CompressedBlock block)
        {
            tags.Add((int)block.Tag!);
            var opened = Samples.Open(Samples.Managed, block.Member.Span, block.PlainLength);
            Assert.Equal(block.PlainLength, opened.Length);
            target.Write(block.Member.Span);
        }
    }

    [Fact]
    public void Nothing_submitted_is_nothing_sunk()
    {
        using var pipeline = new BlockPipeline(Samples.Managed, 6, 2, _ => throw new InvalidOperationException());
        pipeline.Complete();
        pipeline.Complete();
        Assert.Throws<InvalidOperationException>(() => pipeline.Rent());
    }

    [Fact]
    public void A_slow_sink_holds_the_filler_back()
    {
        using var gate = new SemaphoreSlim(0);
        var seen = 0;
        using var pipeline = new BlockPipeline(Samples.Managed, 1, 2, _ =>
        {
            gate.Wait();
            Interlocked.Increment(ref seen);
        });
        using var rented = new SemaphoreSlim(0);
        var filler = Task.Run(() =>
        {
            for (var i = 0; i < 20; i++)
            {
                Submit(pipeline, i);
                rented.Release();
            }

            pipeline.Complete();
        });

        try
        {
            // 2 x 2 + 2 blocks exist: all go in, the next one waits for the sink to be through with the first.
            for (var i = 0; i < 6; i++)
                Assert.True(rented.Wait(Patience));
            Assert.False(rented.Wait(TimeSpan.FromMilliseconds(100)));
            Assert.Equal(0, seen);
        }
        finally
        {
            gate.Release(20);
        }

        WithPatience(() => filler.GetAwaiter().GetResult());
        Assert.Equal(20, seen);
    }

    [Fact]
    public void What_the_sink_throws_comes_out_as_it_is()
    {
        var error = new IOException("disk full");
        var seen = 0;
        using var pipeline = new BlockPipeline(Samples.Managed, 1, 2, _ =>
        {
            if (++seen == 3)
                throw error;
        });

        Assert.Same(error, Assert.Throws<IOException>(() => SubmitUntilItThrows(pipeline)));
        Assert.Same(error, Assert.Throws<IOException>(() => pipeline.Rent()));
        Assert.Same(error, Assert.Throws<IOException>(() => WithPatience(pipeline.Complete)));
        Assert.Equal(3, seen);
    }

    [Fact]
    public void What_a_compressor_throws_comes_out_after_the_blocks_before_it()
    {
        var codec = new BrokenCodec { BreaksAt = 7 };
        var seen = new List<object?>();
        using var pipeline = new BlockPipeline(codec, 1, 3, block => seen.Add(block.Tag));

        Assert.Same(codec.Error, Assert.Throws<NotFiniteNumberException>(() => SubmitUntilItThrows(pipeline)));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], seen);

        // The threads end by themselves, but only Dispose waits for them.
        pipeline.Dispose();
        Assert.Equal(0, codec.Open);
    }

    [Fact]
    public void What_a_compressor_throws_at_the_end_comes_out_of_Complete()
    {
        var codec = new BrokenCodec { BreaksAt = 1 };
        using var pipeline = new BlockPipeline(codec, 1, 3, static _ => { });
        Submit(pipeline, 0);
        Submit(pipeline, 1);
        Assert.Same(codec.Error, Assert.Throws<NotFiniteNumberException>(() => WithPatience(pipeline.Complete)));
    }

    [Fact]
    public void A_codec_that_cannot_start_comes_out()
    {
        var codec = new BrokenCodec { BreaksAt = -1 };
        using var pipeline = new BlockPipeline(codec, 1, 2, static _ => { });
        Assert.Same(codec.Error, Assert.Throws<NotFiniteNumberException>(() => SubmitUntilItThrows(pipeline)));
    }

    [Fact]
    public void Cancellation_wakes_a_waiting_Rent()
    {
        using var source = new CancellationTokenSource();
        using var gate = new SemaphoreSlim(0);
        using var pipeline = new BlockPipeline(Samples.Managed, 1, 1, _ => gate.Wait(), source.Token);
        for (var i = 0; i < 4; i++)
            Submit(pipeline, i);
        var waiting = Task.Run(() => pipeline.Rent());

        try
        {
            source.Cancel();

            var e = Assert.Throws<OperationCanceledException>(() => WithPatience(() => waiting.GetAwaiter().GetResult()));
            Assert.Equal(source.Token, e.CancellationToken);
        }
        finally
        {
            gate.Release(10);
        }

        Assert.Throws<OperationCanceledException>(() => WithPatience(pipeline.Complete));
    }

    [Fact]
    public void A_token_cancelled_before_is_heeded()
    {
        using var pipeline = new BlockPipeline(Samples.Managed, 1, 1, static _ => { }, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => pipeline.Rent());
    }

    [Fact]
    public void Dispose_without_Complete_ends_the_threads_and_drops_the_rest()
    {
        for (var round = 0; round < 50; round++)
        {
            var codec = new BrokenCodec { BreaksAt = int.MaxValue };
            var seen = 0;
            var pipeline = new BlockPipeline(codec, 1, 3, _ => seen++);
            for (var i = 0; i < round % 9; i++)
                Submit(pipeline, i);
            var time = Stopwatch.StartNew();
            WithPatience(pipeline.Dispose);
            WithPatience(pipeline.Dispose);

            Assert.Equal(0, codec.Open);
            Assert.InRange(seen, 0, round % 9);
            Assert.InRange(time.Elapsed, TimeSpan.Zero, Patience);
            Assert.Throws<ObjectDisposedException>(() => pipeline.Rent());
        }
    }

    [Fact]
    public void Dispose_waits_for_the_sink()
    {
        using var sinking = new SemaphoreSlim(0);
        using var gate = new SemaphoreSlim(0);
        var pipeline = new BlockPipeline(Samples.Managed, 1, 1, _ =>
        {
            sinking.Release();
            gate.Wait();
        });
        Submit(pipeline, 0);
        Assert.True(sinking.Wait(Patience));
        var disposing = Task.Run(pipeline.Dispose);
        try
        {
            Assert.False(SpinWait.SpinUntil(() => disposing.IsCompleted, 100));
        }
        finally
        {
            gate.Release();
        }

        WithPatience(() => disposing.GetAwaiter().GetResult());
    }

    [Fact]
    public void Levels_and_lengths_are_checked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPipeline(Samples.Managed, 10, 1, static _ => { }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPipeline(Samples.Managed, 6, 0, static _ => { }));
        using var pipeline = new BlockPipeline(Samples.Managed, 6, 1, static _ => { });
        var block = pipeline.Rent();
        block.Length = Samples.BlockSize + 1;
        Assert.Throws<ArgumentException>(() => pipeline.Submit(block));
    }

    private static void SubmitUntilItThrows(BlockPipeline pipeline) => WithPatience(() =>
    {
        for (var i = 0; i < 1_000_000; i++)
            Submit(pipeline, i);
    });

    private static void Submit(BlockPipeline pipeline, int tag)
    {
        var block = pipeline.Rent();
        block.Length = 100;
        BinaryPrimitives.WriteInt32LittleEndian(block.Buffer, tag);
        block.Tag = tag;
        pipeline.Submit(block);
    }

    /// <summary>Runs on another thread, so that a hang fails and does not hang the tests.</summary>
    private static void WithPatience(Action action)
    {
        var task = Task.Run(action);
        Assert.True(Task.WhenAny(task, Task.Delay(Patience)).GetAwaiter().GetResult() == task, "It hangs.");
        task.GetAwaiter().GetResult();
    }
}
