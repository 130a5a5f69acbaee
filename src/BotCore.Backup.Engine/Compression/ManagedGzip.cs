using System.Buffers.Binary;
using System.IO.Compression;

namespace BotCore.Backup.Engine.Compression;

/// <summary>Makes gzip members with System.IO.Compression; level 0 stores. Header and trailer are ours: GZipStream writes an operating system, and nothing at all for an empty block.</summary>
internal sealed class ManagedGzipCompressor(int level) : IBlockCompressor
{
    private const int HeaderLength = 10;
    private const int TrailerLength = 8;
    private const int LongestStored = 65535;
    private const int StoredOverhead = 5;

    private readonly ZLibCompressionOptions _options = new() { CompressionLevel = level };

    /// <summary>What the block takes uncompressed, in stored blocks (RFC 1951 3.2.4): what does not fit in there is stored.</summary>
    public int MaximumLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var stored = Math.Max(1, (length + LongestStored - 1L) / LongestStored);
        return checked((int)(HeaderLength + length + (stored * StoredOverhead) + TrailerLength));
    }

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        var maximum = MaximumLength(block.Length);
        if (member.Length < maximum)
            throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member));

        WriteHeader(member);
        var body = member[HeaderLength..(maximum - TrailerLength)];
        var length = Deflate(block, body);
        if (length == 0)
            length = Store(block, body);

        var trailer = member.Slice(HeaderLength + length, TrailerLength);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.Append(0, block));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)block.Length);
        return HeaderLength + length + TrailerLength;
    }

    public void Dispose()
    {
        // Every block has a DeflateStream of its own.
    }

    private void WriteHeader(Span<byte> member)
    {
        ReadOnlySpan<byte> header = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
        header.CopyTo(member);
        member[8] = level switch { 1 => 4, 9 => 2, _ => 0 };
    }

    /// <summary>The length in <paramref name="body"/>, or 0 where it does not fit or there is nothing to deflate.</summary>
    private unsafe int Deflate(ReadOnlySpan<byte> block, Span<byte> body)
    {
        if (block.IsEmpty || level == 0)
            return 0;

        fixed (byte* start = body)
        {
            using var target = new BoundedTarget(start, body.Length);
            using (var deflate = new DeflateStream(target, _options, leaveOpen: true))
                deflate.Write(block);

            return target.Overflowed ? 0 : target.Written;
        }
    }

    private static int Store(ReadOnlySpan<byte> block, Span<byte> body)
    {
        var written = 0;
        do
        {
            var part = block[..Math.Min(block.Length, LongestStored)];
            block = block[part.Length..];
            body[written] = block.IsEmpty ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteUInt16LittleEndian(body[(written + 1)..], (ushort)part.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(body[(written + 3)..], (ushort)~part.Length);
            part.CopyTo(body[(written + StoredOverhead)..]);
            written += StoredOverhead + part.Length;
        }
        while (!block.IsEmpty);

        return written;
    }

    /// <summary>Writes into memory, and only notes what does not fit.</summary>
    private sealed unsafe class BoundedTarget(byte* start, int length) : Stream
    {
        public bool Overflowed { get; private set; }

        public int Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Overflowed |= buffer.Length > length - Written;
            if (Overflowed)
                return;

            buffer.CopyTo(new Span<byte>(start + Written, length - Written));
            Written += buffer.Length;
        }
    }
}

/// <summary>Opens gzip members without a library, as strictly as libdeflate does.</summary>
internal sealed class ManagedGzipDecompressor : IBlockDecompressor
{
    private readonly DeflateInput _input = new();
    private readonly GzipMember _member;

    public ManagedGzipDecompressor() => _member = new GzipMember(_input);

    public unsafe void Decompress(ReadOnlySpan<byte> member, Span<byte> block)
    {
        fixed (byte* start = member)
        {
            // A null pointer stands for an empty member, which UnmanagedMemoryStream refuses.
            using Stream source = start is null ? new MemoryStream() : new UnmanagedMemoryStream(start, member.Length);
            _input.Reset(source);
            Decompress(block);
        }
    }

    public void Dispose()
    {
        // There is only managed memory.
    }

    private void Decompress(Span<byte> block)
    {
        _member.Open();
        while (true)
        {
            var read = _member.Read().Span;
            if (read.IsEmpty)
                break;
            if (read.Length > block.Length)
                throw new InvalidDataException("The gzip member is longer than it should be.");
            read.CopyTo(block);
            block = block[read.Length..];
        }

        if (!block.IsEmpty)
            throw new InvalidDataException("The gzip member is shorter than it should be.");
        if (_input.ReadByte() >= 0)
            throw new InvalidDataException("Bytes follow the gzip member.");
    }
}
