using BotCore.Backup.Engine.Compression;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class ParallelMemberReaderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Managed_reads_any_members() => ReadsAnyMembers(Samples.Managed);

    [NativeFact]
    public void Native_reads_any_members() => ReadsAnyMembers(Samples.Native);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Many_members_come_in_order_in_pieces_of_any_size(int threads)
    {
        var random = new Random(threads);
        var (stream, plain, lengths) = Samples.Members(Samples.Native, [.. Enumerable.Range(0, 400).Select(i => random.Next(i % 3 == 0 ? 3000 : 30))]);
        using var reader = new ParallelMemberReader(new PiecewiseStream(stream, 777), lengths, Samples.Managed, threads);
        var read = new List<byte>();
        var piece = new byte[500];
        while (reader.Read(piece, 0, 1 + random.Next(piece.Length)) is > 0 and var got)
            read.AddRange(piece.AsSpan(0, got));

        Assert.Equal(plain, read);
        Assert.Equal(0, reader.Read(piece, 0, 1));
        Assert.Equal(-1, reader.ReadByte());
    }

    [Fact]
    public void Blocks_of_full_size_read()
    {
        var noise = Samples.Noise(Samples.BlockSize);
        var member = Samples.Member(Samples.Native, noise);
        using var reader = new ParallelMemberReader(new MemoryStream([.. member, .. member]), [(member.Length, noise.Length), (member.Length, noise.Length)], Samples.Native, 2);
        Assert.Equal([.. noise, .. noise], Samples.ReadAll(reader));
    }

    [Fact]
    public void No_member_is_an_empty_stream()
    {
        Assert.Empty(Read([], []));
        Refused([0], [], 0);
    }

    [Fact]
    public void Managed_finds_every_flip_and_serves_what_comes_before() => FindsEveryFlip(Samples.Managed);

    [NativeFact]
    public void Native_finds_every_flip_and_serves_what_comes_before() => FindsEveryFlip(Samples.Native);

    [Fact]
    public void Every_cut_is_found_and_what_comes_before_is_served()
    {
        var (stream, plain, lengths) = Samples.Members(Samples.Managed, 300, 0, 200, 1);
        for (var cut = 0; cut < stream.Length; cut++)
        {
            var whole = WholeMembers(lengths, cut);
            Refused(stream[..cut], lengths, whole.Plain, plain);
        }
    }

    [Fact]
    public void Bytes_after_the_last_member_are_found_after_it()
    {
        var (stream, plain, lengths) = Samples.Members(Samples.Managed, 300, 200);
        Refused([.. stream, 0], lengths, 500, plain);
        Refused(stream, lengths[..1], 300, plain);
    }

    [Fact]
    public void Wrong_lengths_are_found_in_their_place()
    {
        var (stream, plain, lengths) = Samples.Members(Samples.Managed, 300, 200, 100);
        foreach (var (compressed, length) in new[] { (-1, 0), (0, -1), (1, 0), (0, 1), (int.MaxValue, 0), (int.MinValue, 0), (0, int.MinValue) })
        {
            var wrong = ((int Compressed, int Plain)[])lengths.Clone();
            wrong[1] = (unchecked(wrong[1].Compressed + compressed), unchecked(wrong[1].Plain + length));
            Refused(stream, wrong, 300, plain);
        }
    }

    [Fact]
    public void Lengths_are_bounded_before_memory_is_given()
    {
        var codec = new BrokenCodec { BreaksAt = 0 };
        var limit = ParallelMemberReader.MaximumMemberLength(1000);
        foreach (var lengths in new[] { (20, 1001), (limit + 1, 1000), (int.MaxValue, 1), (20, int.MaxValue) })
        {
            using var reader = new ParallelMemberReader(new EndlessStream(), [lengths], codec, 1, maximumBlock: 1000);
            Assert.Throws<InvalidDataException>(() => reader.ReadByte());
        }

        using var allowed = new ParallelMemberReader(new EndlessStream(), [(limit, 1000)], codec, 1, maximumBlock: 1000);
        Assert.Throws<NotFiniteNumberException>(() => allowed.ReadByte());
    }

    [Fact]
    public void The_limit_holds_what_every_codec_of_ours_makes()
    {
        foreach (var length in new[] { 0, 1, 1000, 65536, Samples.BlockSize })
        {
            for (var level = 1; level <= 9; level++)
            {
                using var managed = Samples.Managed.CreateCompressor(level);
                using var native = Samples.Native.CreateCompressor(level);
                Assert.InRange(Math.Max(managed.MaximumLength(length), native.MaximumLength(length)), 18, ParallelMemberReader.MaximumMemberLength(length));
            }
        }
    }

    [Fact]
    public void What_the_source_and_the_list_throw_comes_out_in_place_and_stays()
    {
        var (stream, _, lengths) = Samples.Members(Samples.Managed, 300, 200);
        using var reader = new ParallelMemberReader(new MemoryStream(stream), Breaking(lengths[0]), Samples.Managed, 2);
        reader.ReadExactly(new byte[300]);
        var first = Assert.Throws<NotFiniteNumberException>(() => reader.ReadByte());
        Assert.Same(first, Assert.Throws<NotFiniteNumberException>(() => reader.ReadByte()));

        static IEnumerable<(int, int)> Breaking((int, int) first)
        {
            yield return first;
            throw new NotFiniteNumberException();
        }
    }

    [Fact]
    public void A_codec_that_cannot_start_comes_out()
    {
        var (stream, _, lengths) = Samples.Members(Samples.Managed, 300);
        using var reader = new ParallelMemberReader(new MemoryStream(stream), lengths, new BrokenCodec { BreaksAt = -1 }, 2);
        Assert.Throws<NotFiniteNumberException>(() => WithPatience(() => Samples.ReadAll(reader)));
    }

    [Fact]
    public void Dispose_at_any_time_ends_the_threads()
    {
        var (stream, _, lengths) = Samples.Members(Samples.Managed, [.. Enumerable.Repeat(500, 40)]);
        for (var bytes = 0; bytes < 40; bytes++)
        {
            var codec = new BrokenCodec { BreaksAt = int.MaxValue };
            var source = new PiecewiseStream(stream, 400);
            var listed = new Enumerated(lengths);
            var reader = new ParallelMemberReader(source, listed.Members(), codec, 3);
            if (bytes > 0)
                reader.ReadExactly(new byte[bytes * 400]);

            WithPatience(reader.Dispose);
            WithPatience(reader.Dispose);

            Assert.Equal(0, codec.Open);
            Assert.True(listed.Ended);
            Assert.True(source.Disposed);
            Assert.Throws<ObjectDisposedException>(() => reader.ReadByte());
        }
    }

    [Fact]
    public void Dispose_waits_for_a_read_that_is_under_way()
    {
        using var reading = new SemaphoreSlim(0);
        using var gate = new SemaphoreSlim(0);
        var source = new WaitingStream(reading, gate);
        var reader = new ParallelMemberReader(source, [(30, 10)], Samples.Managed, 1);
        Assert.True(reading.Wait(Patience));
        var disposing = Task.Run(reader.Dispose);
        try
        {
            Assert.False(SpinWait.SpinUntil(() => disposing.IsCompleted, 100));
            Assert.True(source.CanRead);
        }
        finally
        {
            gate.Release();
        }

        WithPatience(() => disposing.GetAwaiter().GetResult());
        Assert.False(source.CanRead);
    }

    [Fact]
    public void The_source_stays_open_where_asked()
    {
        using var source = new MemoryStream();
        new ParallelMemberReader(source, [], Samples.Managed, 1, leaveOpen: true).Dispose();
        Assert.True(source.CanRead);
    }

    [Fact]
    public void Memory_is_bounded_when_nobody_reads()
    {
        var member = Samples.Member(Samples.Managed, [1]);
        using var listed = new SemaphoreSlim(0);
        using var reader = new ParallelMemberReader(new PiecewiseStream([.. Enumerable.Repeat(member, 100).SelectMany(m => m)], 1000), Members(), Samples.Managed, 2);

        // 2 x 2 + 2 members are read; the reading thread asks for a seventh and then waits.
        for (var i = 0; i < 7; i++)
            Assert.True(listed.Wait(Patience));
        Assert.False(listed.Wait(TimeSpan.FromMilliseconds(100)));

        IEnumerable<(int, int)> Members()
        {
            for (var i = 0; i < 100; i++)
            {
                listed.Release();
                yield return (member.Length, 1);
            }
        }
    }

    [Fact]
    public void Cancellation_wakes_a_waiting_read()
    {
        using var cancel = new CancellationTokenSource();
        using var gate = new SemaphoreSlim(0);
        using var reader = new ParallelMemberReader(new EndlessStream(), Waiting(), Samples.Managed, 2, token: cancel.Token);
        var read = Task.Run(() => reader.ReadByte());

        try
        {
            cancel.Cancel();

            Assert.Throws<OperationCanceledException>(() => WithPatience(() => read.GetAwaiter().GetResult()));
        }
        finally
        {
            gate.Release();
        }

        IEnumerable<(int, int)> Waiting()
        {
            gate.Wait();
            yield break;
        }
    }

    private static void ReadsAnyMembers(GzipCodec codec)
    {
        var property = Prop.ForAll<byte[][], byte>((parts, seed) =>
        {
            var members = parts.Select(part => Samples.Member(codec, part, 1 + (seed % 9))).ToArray();
            var lengths = members.Zip(parts, (member, part) => (member.Length, part.Length));
            using var reader = new ParallelMemberReader(new MemoryStream([.. members.SelectMany(m => m)]), lengths, codec, 1 + (seed % 4));
            return Samples.ReadAll(reader).AsSpan().SequenceEqual([.. parts.SelectMany(p => p)]);
        });
        property.QuickCheckThrowOnFailure();
    }

    private static void FindsEveryFlip(GzipCodec codec)
    {
        var (stream, plain, lengths) = Samples.Members(codec, 60, 0, 40);
        var start = 0;
        var served = 0;
        foreach (var (compressed, length) in lengths)
        {
            for (var bit = 0; bit < compressed * 8; bit++)
            {
                var flipped = (byte[])stream.Clone();
                flipped[start + (bit / 8)] ^= (byte)(1 << (bit % 8));
                if (GzipReaderTests.IsHarmless(bit))
                    Assert.Equal(plain, Read(flipped, lengths, codec));
                else if (ReadsWhole(flipped, lengths, served, plain, codec))
                    Assert.True(GzipReaderTests.IsDeflateData(bit, compressed), "It was not found.");
            }

            start += compressed;
            served += length;
        }
    }

    private static (int Members, int Plain) WholeMembers((int Compressed, int Plain)[] lengths, int cut)
    {
        var members = 0;
        var plain = 0;
        foreach (var (compressed, length) in lengths)
        {
            cut -= compressed;
            if (cut < 0)
                break;
            members++;
            plain += length;
        }

        return (members, plain);
    }

    private static byte[] Read(byte[] stream, (int, int)[] lengths, ICodec? codec = null)
    {
        using var reader = new ParallelMemberReader(new MemoryStream(stream), lengths, codec ?? Samples.Managed, 2);
        return Samples.ReadAll(reader);
    }

    private static void Refused(byte[] stream, (int, int)[] lengths, int served, byte[]? plain = null) =>
        Assert.False(ReadsWhole(stream, lengths, served, plain ?? [], Samples.Managed), "It was not found.");

    private static bool ReadsWhole(byte[] stream, (int, int)[] lengths, int served, byte[] plain, ICodec codec)
    {
        using var reader = new ParallelMemberReader(new MemoryStream(stream), lengths, codec, 2);
        using var all = new MemoryStream();
        try
        {
            reader.CopyTo(all);
            Assert.Equal(plain, all.ToArray());
            return true;
        }
        catch (InvalidDataException)
        {
            Assert.Equal(plain[..served], all.ToArray());
            Assert.Throws<InvalidDataException>(() => reader.ReadByte());
            return false;
        }
    }

    private static void WithPatience(Action action)
    {
        var task = Task.Run(action);
        Assert.True(Task.WhenAny(task, Task.Delay(Patience)).GetAwaiter().GetResult() == task, "It hangs.");
        task.GetAwaiter().GetResult();
    }

    private sealed class Enumerated((int, int)[] members)
    {
        public bool Ended { get; private set; }

        public IEnumerable<(int, int)> Members()
        {
            try
            {
                foreach (var member in members)
                    yield return member;
            }
            finally
            {
                Ended = true;
            }
        }
    }

    /// <summary>Zeros without end.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }

    /// <summary>Says when it is read, and then waits; ends after that.</summary>
    private sealed class WaitingStream(SemaphoreSlim reading, SemaphoreSlim gate) : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            reading.Release();
            gate.Wait();
            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
