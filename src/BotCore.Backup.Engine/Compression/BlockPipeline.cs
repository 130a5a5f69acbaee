namespace BotCore.Backup.Engine.Compression;

/// <summary>A block of plaintext on its way into a <see cref="BlockPipeline"/>. Its buffer is used again after the sink saw it.</summary>
internal sealed class Block : PipelineItem
{
    internal Block(int size) => Buffer = GC.AllocateUninitializedArray<byte>(size);

    /// <summary>Room for the plaintext, <see cref="ICodec.BlockSize"/> bytes; holds old bytes when rented.</summary>
    public byte[] Buffer { get; }

    /// <summary>Bytes of <see cref="Buffer"/> that count. 0 when rented; 0 makes an empty member.</summary>
    public int Length { get; set; }

    /// <summary>Anything; comes to the sink with the member. Null when rented.</summary>
    public object? Tag { get; set; }

    internal byte[] Member { get; set; } = [];

    internal int MemberLength { get; set; }

    /// <summary>Whether <see cref="Member"/> was made before the block came here.</summary>
    internal bool IsPacked { get; set; }

    /// <summary>Makes room for a member that was made before, of <paramref name="plain"/> bytes of plaintext; no worker touches it then.</summary>
    public Span<byte> Pack(int packed, int plain)
    {
        if (Member.Length < packed)
            Member = GC.AllocateUninitializedArray<byte>(packed);
        (MemberLength, Length, IsPacked) = (packed, plain, true);
        return Member.AsSpan(0, packed);
    }
}

/// <summary>A member on its way to the sink.</summary>
/// <param name="Member">The compressed bytes; valid until the sink returns.</param>
/// <param name="PlainLength">Bytes that went in.</param>
/// <param name="Tag">The block's <see cref="Block.Tag"/>.</param>
internal readonly record struct CompressedBlock(ReadOnlyMemory<byte> Member, int PlainLength, object? Tag);

/// <summary>
/// Compresses blocks on several threads and hands the members to a sink in the order of submission, on one thread of its own. How many blocks are
/// in flight is <see cref="CodecMemory.BlocksInFlight"/>; <see cref="Rent"/> waits for one. What the codec or the sink throws stops all and comes out of the next call here, as it was thrown.
/// The sink has then seen every block before the one that failed, and none after it. Made for one submitting thread, which is not the sink's: nothing here may be called from the sink.
/// </summary>
internal sealed class BlockPipeline : IDisposable
{
    private readonly OrderedPipeline<Block> _pipeline;
    private readonly Action<CompressedBlock> _sink;
    private readonly Thread _writer;
    private bool _completed;

    /// <summary>Starts the threads. Disposing without <see cref="Complete"/> cancels.</summary>
    /// <param name="codec">Makes the members.</param>
    /// <param name="level">Its level.</param>
    /// <param name="threads">Threads that compress, 1 or more.</param>
    /// <param name="sink">Gets every member; runs on the writer thread.</param>
    /// <param name="token">Stops everything; waiting calls then throw <see cref="OperationCanceledException"/>.</param>
    public BlockPipeline(ICodec codec, int level, int threads, Action<CompressedBlock> sink, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentNullException.ThrowIfNull(sink);
        ArgumentOutOfRangeException.ThrowIfLessThan(level, codec.Levels.Lowest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, codec.Levels.Highest);
        _sink = sink;
        var size = codec.BlockSize(level);
        BlockSize = size;
        _pipeline = new OrderedPipeline<Block>(
            $"{codec.Name} compressor", threads, CodecMemory.BlocksInFlight(size, threads), () => new Block(size), () => new Worker(codec.CreateCompressor(level), size), token);
        _writer = new Thread(Write) { IsBackground = true, Name = $"{codec.Name} writer" };
        try
        {
            _writer.Start();
        }
        catch
        {
            _pipeline.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of a block.</summary>
    public int BlockSize { get; }

    /// <summary>An empty block to fill and <see cref="Submit"/>; waits until one is free.</summary>
    public Block Rent()
    {
        ThrowIfCompleted();
        var block = _pipeline.Rent();
        block.Length = 0;
        block.Tag = null;
        block.IsPacked = false;
        return block;
    }

    /// <summary>Hands a rented block over; it is not to be touched after that.</summary>
    public void Submit(Block block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if ((uint)block.Length > (uint)block.Buffer.Length)
            throw new ArgumentException("The block's length is not that of bytes in its buffer.", nameof(block));

        ThrowIfCompleted();
        _pipeline.Submit(block);
    }

    /// <summary>Waits until the sink has everything and the threads have ended. Throws what went wrong, if anything did.</summary>
    public void Complete()
    {
        _completed = true;
        _pipeline.Finish();
        _writer.Join();
        _pipeline.Join();
        _pipeline.ThrowIfFailed();
    }

    /// <summary>Cancels what is still under way, and returns when all threads have ended: after the blocks in hand, and the sink's present call.</summary>
    public void Dispose()
    {
        _pipeline.Dispose();
        _writer.Join();
    }

    private void ThrowIfCompleted()
    {
        if (_completed)
            throw new InvalidOperationException("The pipeline was completed already.");
    }

    private void Write()
    {
        try
        {
            while (_pipeline.Take() is { } block)
            {
                _sink(new CompressedBlock(block.Member.AsMemory(0, block.MemberLength), block.Length, block.Tag));
                block.Tag = null;
                _pipeline.Return(block);
            }
        }
        catch (Exception e)
        {
            _pipeline.Fail(e);
        }
    }

    private sealed class Worker(IBlockCompressor compressor, int blockSize) : IPipelineWorker<Block>
    {
        public void Work(Block item)
        {
            if (item.IsPacked)
                return;
            // Once for the fullest block, not anew for every fuller one.
            var longest = compressor.MaximumLength(blockSize);
            if (item.Member.Length < longest)
                item.Member = GC.AllocateUninitializedArray<byte>(longest);
            item.MemberLength = compressor.Compress(item.Buffer.AsSpan(0, item.Length), item.Member);
        }

        public void Dispose() => compressor.Dispose();
    }
}
