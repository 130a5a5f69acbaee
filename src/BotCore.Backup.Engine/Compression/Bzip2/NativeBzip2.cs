using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>Makes bzip2 streams with libbz2.</summary>
internal sealed class NativeBzip2Compressor(LibBz2 library, int level) : IBlockCompressor
{
    // BZ_OUTBUFF_FULL of bzlib.h.
    private const int NoRoom = -8;

    public int MaximumLength(int length) => Bzip2Codec.MaximumLength(length);

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        var length = library.Compress(level, block, member);
        return length switch
        {
            > 0 => length,
            NoRoom => throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member)),
            _ => throw new InvalidOperationException($"libbz2 cannot compress: its error {length}."),
        };
    }

    public void Dispose()
    {
        // The library holds nothing from one block to the next.
    }
}

/// <summary>Opens bzip2 streams with libbz2. Its memory is bounded by the format: 3.7 MiB.</summary>
internal sealed unsafe class NativeBzip2Decoder(LibBz2 library) : IMemberDecoder
{
    private readonly DecoderState _state = new(sizeof(LibBz2.BzStream), state => library.EndDecoding((LibBz2.BzStream*)state));

    public void Begin()
    {
        var stream = (LibBz2.BzStream*)_state.Value;
        library.EndDecoding(stream);
        if (library.BeginDecoding(stream) != LibBz2.Ok)
            throw new InvalidOperationException("libbz2 found no memory for its tables.");
    }

    public bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        var stream = (LibBz2.BzStream*)_state.Value;
        byte none;
        fixed (byte* from = input, to = output)
        {
            stream->NextIn = from is null ? &none : from;
            stream->AvailableIn = (uint)input.Length;
            stream->NextOut = to is null ? &none : to;
            stream->AvailableOut = (uint)output.Length;
            var result = library.Decode(stream);
            GC.KeepAlive(_state);
            consumed = input.Length - (int)stream->AvailableIn;
            produced = output.Length - (int)stream->AvailableOut;
            return result switch
            {
                LibBz2.Ok => false,
                LibBz2.StreamEnd => true,
                _ => throw new InvalidDataException("The bzip2 stream is damaged."),
            };
        }
    }

    public void Dispose() => _state.Dispose();
}
