using System.Buffers.Binary;

namespace BotCore.Backup.Engine.Compression.Xz;

/// <summary>
/// Makes xz streams whose data is not compressed: LZMA2 has chunks of up to 64 KiB for that. Source: The .xz File Format 1.1.0, sections 2 to 4, and the comment on LZMA2 in liblzma's lzma2_encoder.h.
/// </summary>
internal sealed class XzStoring(LibLzma library) : IBlockCompressor
{
    private const int Chunk = 1 << 16;
    private const int ChunkHeader = 3;
    private const int BlockHeader = 12;
    private const int Check = 8;

    // Stream header and footer, block header, end of LZMA2, padding, check, and an index with two numbers of five bytes.
    private const int Overhead = 12 + 12 + BlockHeader + 1 + 3 + Check + 20;

    // No CRC flags but CRC-64: the check that xz uses itself.
    private static ReadOnlySpan<byte> StreamFlags => [0, 4];

    public static int MaximumLengthOf(int length) => checked(length + (((length / Chunk) + 1) * ChunkHeader) + Overhead);

    public int MaximumLength(int length) => MaximumLengthOf(length);

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        if (member.Length < MaximumLengthOf(block.Length))
            throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member));
        if (block.IsEmpty)
            throw new ArgumentException("An empty block has nothing to store.", nameof(block));

        var output = new Output(member);
        output.Write([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]);
        output.WriteWithCrc(StreamFlags);
        // Its size in fours less one; one filter and no sizes; LZMA2 with one byte of properties: a dictionary of 4 KiB.
        output.WriteWithCrc([(BlockHeader / 4) - 1, 0, 0x21, 1, 0, 0, 0, 0]);
        var start = output.Length;
        WriteChunks(block, ref output);
        var unpadded = BlockHeader + output.Length - start + Check;
        output.Pad();
        output.WriteUInt64(library.Crc64(block));
        var index = output.Length;
        output.Write([0, 1]);
        output.WriteNumber((uint)unpadded);
        output.WriteNumber((uint)block.Length);
        output.Pad();
        output.WriteUInt32(Crc32.Append(0, member[index..output.Length]));
        WriteFooter(output.Length - index, ref output);
        return output.Length;
    }

    public void Dispose()
    {
        // There is nothing to give back.
    }

    private static void WriteChunks(ReadOnlySpan<byte> block, ref Output output)
    {
        // The first one resets the dictionary.
        byte control = 1;
        while (!block.IsEmpty)
        {
            var chunk = block[..Math.Min(block.Length, Chunk)];
            output.Write([control, (byte)((chunk.Length - 1) >> 8), (byte)(chunk.Length - 1)]);
            output.Write(chunk);
            block = block[chunk.Length..];
            control = 2;
        }

        output.Write([0]);
    }

    private static void WriteFooter(int indexLength, ref Output output)
    {
        Span<byte> fields = stackalloc byte[6];
        BinaryPrimitives.WriteInt32LittleEndian(fields, (indexLength / 4) - 1);
        StreamFlags.CopyTo(fields[4..]);
        output.WriteUInt32(Crc32.Append(0, fields));
        output.Write(fields);
        output.Write("YZ"u8);
    }

    private ref struct Output(Span<byte> target)
    {
        private readonly Span<byte> _target = target;

        public int Length { get; private set; }

        public void Write(scoped ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_target[Length..]);
            Length += bytes.Length;
        }

        public void WriteWithCrc(scoped ReadOnlySpan<byte> bytes)
        {
            Write(bytes);
            WriteUInt32(Crc32.Append(0, bytes));
        }

        public void WriteUInt32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_target[Length..], value);
            Length += sizeof(uint);
        }

        public void WriteUInt64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_target[Length..], value);
            Length += sizeof(ulong);
        }

        /// <summary>Seven bits a byte, lowest first.</summary>
        public void WriteNumber(uint value)
        {
            for (; value >= 0x80; value >>= 7)
                _target[Length++] = (byte)(value | 0x80);
            _target[Length++] = (byte)value;
        }

        /// <summary>Zeros up to a multiple of four; all fields before are such, so the length tells.</summary>
        public void Pad()
        {
            while (Length % 4 != 0)
                _target[Length++] = 0;
        }
    }
}
