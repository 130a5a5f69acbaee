using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Xz;

/// <summary>Opens xz streams with liblzma, with a limit to the memory that a stream may ask for.</summary>
internal sealed unsafe class XzDecoder(LibLzma library) : IMemberDecoder
{
    private readonly DecoderState _state = new(sizeof(LibLzma.LzmaStream), state => library.End((LibLzma.LzmaStream*)state));

    public void Begin()
    {
        if (library.BeginDecoding((LibLzma.LzmaStream*)_state.Value, XzCodec.DecoderMemoryLimit) != LibLzma.Ok)
            throw new InvalidOperationException("liblzma found no memory for its tables.");
    }

    public bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        var stream = (LibLzma.LzmaStream*)_state.Value;
        byte none;
        fixed (byte* from = input, to = output)
        {
            stream->NextIn = from is null ? &none : from;
            stream->AvailableIn = (nuint)input.Length;
            stream->NextOut = to is null ? &none : to;
            stream->AvailableOut = (nuint)output.Length;
            var result = library.Decode(stream);
            GC.KeepAlive(_state);
            consumed = input.Length - (int)stream->AvailableIn;
            produced = output.Length - (int)stream->AvailableOut;
            return result switch
            {
                LibLzma.Ok or LibLzma.NoProgress => false,
                LibLzma.StreamEnd => true,
                LibLzma.MemoryMissing => throw new InvalidOperationException("liblzma found no memory for its tables."),
                LibLzma.MemoryLimit => throw new InvalidDataException($"The xz stream needs more than {XzCodec.DecoderMemoryLimit >> 20} MiB of memory to open, which no xz preset does."),
                _ => throw new InvalidDataException($"The xz stream is damaged (liblzma's error {result})."),
            };
        }
    }

    public void Dispose() => _state.Dispose();
}
