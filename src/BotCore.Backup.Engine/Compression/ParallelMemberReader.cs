using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// The plaintext of a stream whose members are known beforehand, from an index: a thread reads the members one after the other, several decompress them, and
/// <see cref="Read(Span{byte})"/> serves them in order. Memory is bounded: <see cref="CodecMemory.BlocksInFlight"/> of the members. The lengths are not believed: each is held to a limit before
/// memory is given, and a member that has another length, bytes after the last member, and an early end throw <see cref="InvalidDataException"/>. An error comes
/// where it belongs, after all bytes before it, and comes again at every later call. Not thread-safe.
/// </summary>
internal sealed class ParallelMemberReader : Stream
{
    /// <summary>The longest plaintext of a member that any version of ours writes, and some more: 32 MiB.</summary>
    public const int LongestBlock = 32 << 20;

    private readonly Stream _compressed;
    private readonly bool _leaveOpen;
    private readonly IEnumerable<(int CompressedLength, int PlainLength)> _members;
    private readonly int _maximumBlock;
    private readonly OrderedPipeline<Member> _pipeline;
    private readonly Thread _reader;
    private Member? _current;
    private int _position;
    private bool _ended;
    private bool _disposed;

    /// <summary>Starts reading ahead.</summary>
    /// <param name="compressed">Holds the members and nothing else; only the reading thread touches it until this is disposed.</param>
    /// <param name="members">Their lengths in bytes, in order; enumerated ahead, on the reading thread.</param>
    /// <param name="codec">Opens them.</param>
    /// <param name="threads">Threads that decompress, 1 or more.</param>
    /// <param name="leaveOpen">Whether <paramref name="compressed"/> stays open when this is disposed.</param>
    /// <param name="maximumBlock">The longest plaintext of a member that is accepted.</param>
    /// <param name="token">Stops everything; a waiting read then throws <see cref="OperationCanceledException"/>.</param>
    public ParallelMemberReader(
        Stream compressed,
        IEnumerable<(int CompressedLength, int PlainLength)> members,
        ICodec codec,
        int threads,
        bool leaveOpen = false,
        int maximumBlock = LongestBlock,
        CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(compressed);
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentOutOfRangeException.ThrowIfNegative(maximumBlock);
        _compressed = compressed;
        _members = members;
        _leaveOpen = leaveOpen;
        _maximumBlock = maximumBlock;
        _pipeline = new OrderedPipeline<Member>(
            $"{codec.Name} decompressor", threads, CodecMemory.BlocksInFlight(codec.BlockSize(codec.DefaultLevel), threads), static () => new Member(), () => new Worker(codec.CreateDecompressor()), token);
        _reader = new Thread(ReadAhead) { IsBackground = true, Name = $"{codec.Name} reader" };
        try
        {
            _reader.Start();
        }
        catch
        {
            _pipeline.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool CanRead => !_disposed;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// What a member of that many bytes may take at most, in any of our formats and whichever library wrote it: gzip and zstd add less than one byte in a thousand
    /// to what does not compress, bzip2 about one in a hundred.
    /// </summary>
    public static int MaximumMemberLength(int plainLength) => checked(plainLength + (plainLength / 8) + 4096);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (buffer.IsEmpty || !Advance(out var member))
            return 0;

        var length = Math.Min(buffer.Length, member.PlainLength - _position);
        member.Plain.AsSpan(_position, length).CopyTo(buffer);
        _position += length;
        return length;
    }

    /// <summary>Writes the rest to <paramref name="destination"/>, straight from the blocks.</summary>
    public override void CopyTo(Stream destination, int bufferSize)
    {
        ValidateCopyToArguments(destination, bufferSize);
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (Advance(out var member))
        {
            destination.Write(member.Plain, _position, member.PlainLength - _position);
            _position = member.PlainLength;
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Stops the threads and waits for them: for the members in hand, and for a read of the compressed stream that is under way.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _pipeline.Dispose();
            _reader.Join();
            if (!_leaveOpen)
                _compressed.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The member that holds the next byte; false at the end.</summary>
    private bool Advance([NotNullWhen(true)] out Member? member)
    {
        while (!_ended && (_current is null || _position == _current.PlainLength))
        {
            if (_current is not null)
                _pipeline.Return(_current);
            _position = 0;
            _current = null;
            _current = _pipeline.Take();
            _ended = _current is null;
        }

        member = _current;
        return member is not null;
    }

    private void ReadAhead()
    {
        try
        {
            foreach (var (compressedLength, plainLength) in _members)
                ReadMember(compressedLength, plainLength);

            if (_compressed.ReadByte() >= 0)
                throw new InvalidDataException("There are bytes after the last member.");
            _pipeline.Finish();
        }
        catch (Exception e)
        {
            // In its place behind the members that were read. If the pipeline itself threw, it has failed already and this changes nothing.
            _pipeline.Finish(e);
        }
    }

    private void ReadMember(int compressedLength, int plainLength)
    {
        if (plainLength < 0 || plainLength > _maximumBlock)
            throw new InvalidDataException($"A member of {plainLength} bytes is declared; 0 to {_maximumBlock} are allowed.");
        if (compressedLength < 1 || compressedLength > MaximumMemberLength(plainLength))
            throw new InvalidDataException($"A member of {plainLength} bytes is declared to take {compressedLength} compressed; that cannot be.");

        var member = _pipeline.Rent();
        member.Reserve(compressedLength, plainLength, _maximumBlock);
        if (_compressed.ReadAtLeast(member.Compressed.AsSpan(0, compressedLength), compressedLength, throwOnEndOfStream: false) < compressedLength)
            throw new InvalidDataException("The compressed stream ends before its last member does.");

        _pipeline.Submit(member);
    }

    private sealed class Member : PipelineItem
    {
        public byte[] Compressed { get; private set; } = [];

        public int CompressedLength { get; private set; }

        public byte[] Plain { get; private set; } = [];

        public int PlainLength { get; private set; }

        public void Reserve(int compressedLength, int plainLength, int maximumBlock)
        {
            if (Compressed.Length < compressedLength)
                Compressed = Allocate(compressedLength, MaximumMemberLength(maximumBlock));
            if (Plain.Length < plainLength)
                Plain = Allocate(plainLength, maximumBlock);
            CompressedLength = compressedLength;
            PlainLength = plainLength;
        }

        /// <summary>Room for the next power of two up to the limit, so that slowly growing members do not each ask anew.</summary>
        private static byte[] Allocate(int length, int limit) =>
            GC.AllocateUninitializedArray<byte>((int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)length), (uint)limit));
    }

    private sealed class Worker(IBlockDecompressor decompressor) : IPipelineWorker<Member>
    {
        public void Work(Member item) =>
            decompressor.Decompress(item.Compressed.AsSpan(0, item.CompressedLength), item.Plain.AsSpan(0, item.PlainLength));

        public void Dispose() => decompressor.Dispose();
    }
}
