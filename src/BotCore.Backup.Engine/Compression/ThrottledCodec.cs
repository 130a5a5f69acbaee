namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// A codec of which only so many compressors exist at once, however many were asked for: each block waits for its turn at one of them. Thread-safe.
/// </summary>
internal sealed class ThrottledCodec(ICodec codec, int compressors) : ICodec
{
    private readonly Dictionary<int, Pool> _pools = [];

    public string Name => codec.Name;

    public string Suffix => codec.Suffix;

    public int DefaultLevel => codec.DefaultLevel;

    public (int Lowest, int Highest) Levels => codec.Levels;

    public int MaximumRatio => codec.MaximumRatio;

    public int BlockSize(int level) => codec.BlockSize(level);

    public long CompressorMemory(int level) => codec.CompressorMemory(level);

    public IBlockCompressor CreateCompressor(int level)
    {
        lock (_pools)
        {
            if (!_pools.TryGetValue(level, out var pool))
                _pools[level] = pool = new Pool(codec, level, compressors);
            return pool.Open();
        }
    }

    public IBlockDecompressor CreateDecompressor() => codec.CreateDecompressor();

    public Stream OpenReader(Stream compressed, bool leaveOpen) => codec.OpenReader(compressed, leaveOpen);

    /// <summary>The compressors of one level; they go when the last of those who were given one goes.</summary>
    private sealed class Pool(ICodec codec, int level, int most)
    {
        private readonly object _gate = new();
        private readonly Stack<IBlockCompressor> _idle = new();
        private int _made;
        private int _users;

        public Compressor Open()
        {
            var first = Rent();
            lock (_gate)
                _users++;
            var opened = new Compressor(this, first.MaximumLength);
            Return(first);
            return opened;
        }

        public IBlockCompressor Rent()
        {
            lock (_gate)
            {
                while (true)
                {
                    if (_idle.TryPop(out var idle))
                        return idle;
                    if (_made < most)
                    {
                        _made++;
                        break;
                    }

                    Monitor.Wait(_gate);
                }
            }

            try
            {
                return codec.CreateCompressor(level);
            }
            catch
            {
                lock (_gate)
                {
                    _made--;
                    Monitor.Pulse(_gate);
                }

                throw;
            }
        }

        public void Return(IBlockCompressor compressor)
        {
            lock (_gate)
            {
                _idle.Push(compressor);
                Monitor.Pulse(_gate);
            }
        }

        public void Close()
        {
            lock (_gate)
            {
                if (--_users > 0)
                    return;
                _made -= _idle.Count;
                while (_idle.TryPop(out var idle))
                    idle.Dispose();
            }
        }
    }

    private sealed class Compressor(Pool pool, Func<int, int> maximumLength) : IBlockCompressor
    {
        private bool _disposed;

        public int MaximumLength(int length) => maximumLength(length);

        public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var compressor = pool.Rent();
            try
            {
                return compressor.Compress(block, member);
            }
            finally
            {
                pool.Return(compressor);
            }
        }

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            pool.Close();
        }
    }
}
