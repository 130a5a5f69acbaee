using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Xz;

/// <summary>liblzma 5. <c>BOTBACKUP_LIBLZMA=off</c>, read once, makes a process do without it.</summary>
internal sealed unsafe class LibLzma
{
    public const int Ok = 0;
    public const int StreamEnd = 1;
    public const int MemoryMissing = 5;
    public const int MemoryLimit = 6;
    public const int NoProgress = 10;

    // LZMA_CHECK_CRC64, LZMA_FILTER_LZMA2 and LZMA_VLI_UNKNOWN of lzma/*.h.
    private const int Crc64Check = 4;
    private const ulong Lzma2 = 0x21;
    private const ulong EndOfFilters = ulong.MaxValue;

    // lzma_options_lzma has 112 bytes on 64 bits; its first field is the dictionary's size.
    private const int OptionsLength = 256;

    private readonly delegate* unmanaged[Cdecl]<void*, uint, byte> _preset;
    private readonly delegate* unmanaged[Cdecl]<Filter*, ulong> _encoderMemory;
    private readonly delegate* unmanaged[Cdecl]<nuint, nuint> _bound;
    private readonly delegate* unmanaged[Cdecl]<Filter*, int, void*, byte*, nuint, byte*, nuint*, nuint, int> _encode;
    private readonly delegate* unmanaged[Cdecl]<byte*, nuint, ulong, ulong> _crc64;
    private readonly delegate* unmanaged[Cdecl]<LzmaStream*, ulong, uint, int> _streamDecoder;
    private readonly delegate* unmanaged[Cdecl]<LzmaStream*, int, int> _code;
    private readonly delegate* unmanaged[Cdecl]<LzmaStream*, void> _end;

    private LibLzma(nint library)
    {
        _preset = (delegate* unmanaged[Cdecl]<void*, uint, byte>)NativeLibrary.GetExport(library, "lzma_lzma_preset");
        _encoderMemory = (delegate* unmanaged[Cdecl]<Filter*, ulong>)NativeLibrary.GetExport(library, "lzma_raw_encoder_memusage");
        _bound = (delegate* unmanaged[Cdecl]<nuint, nuint>)NativeLibrary.GetExport(library, "lzma_stream_buffer_bound");
        _encode = (delegate* unmanaged[Cdecl]<Filter*, int, void*, byte*, nuint, byte*, nuint*, nuint, int>)NativeLibrary.GetExport(library, "lzma_stream_buffer_encode");
        _crc64 = (delegate* unmanaged[Cdecl]<byte*, nuint, ulong, ulong>)NativeLibrary.GetExport(library, "lzma_crc64");
        _streamDecoder = (delegate* unmanaged[Cdecl]<LzmaStream*, ulong, uint, int>)NativeLibrary.GetExport(library, "lzma_stream_decoder");
        _code = (delegate* unmanaged[Cdecl]<LzmaStream*, int, int>)NativeLibrary.GetExport(library, "lzma_code");
        _end = (delegate* unmanaged[Cdecl]<LzmaStream*, void>)NativeLibrary.GetExport(library, "lzma_end");
    }

    /// <summary>The library of this process, or null where there is none.</summary>
    public static LibLzma? Instance { get; } = NativeLibraryFile.Load(
        "BOTBACKUP_LIBLZMA",
        NativeLibraryFile.Names(["liblzma.so.5"], ["liblzma.5.dylib", "liblzma.dylib"], ["liblzma.dll", "liblzma-5.dll"]),
        library => new LibLzma(library));

    public int Bound(int length) => checked((int)_bound((nuint)length));

    /// <summary>Bytes that an encoder takes.</summary>
    public long EncoderMemory(int preset, int dictionary)
    {
        var options = stackalloc byte[OptionsLength];
        var filters = stackalloc Filter[2];
        SetFilters(filters, options, preset, dictionary);
        return (long)_encoderMemory(filters);
    }

    /// <summary>One stream of all of <paramref name="block"/> with a CRC-64; its length, or a negative error of the library.</summary>
    public int Encode(int preset, int dictionary, ReadOnlySpan<byte> block, Span<byte> member)
    {
        var options = stackalloc byte[OptionsLength];
        var filters = stackalloc Filter[2];
        SetFilters(filters, options, preset, dictionary);
        byte none;
        nuint length = 0;
        fixed (byte* input = block, output = member)
        {
            var result = _encode(filters, Crc64Check, null, input is null ? &none : input, (nuint)block.Length, output is null ? &none : output, &length, (nuint)member.Length);
            return result == Ok ? (int)length : -result;
        }
    }

    public ulong Crc64(ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
            return _crc64(start, (nuint)data.Length, 0);
    }

    /// <summary>Begins, or begins anew, to decode one stream; uses again what memory <paramref name="stream"/> holds.</summary>
    public int BeginDecoding(LzmaStream* stream, ulong memoryLimit) => _streamDecoder(stream, memoryLimit, 0);

    public int Decode(LzmaStream* stream) => _code(stream, 0);

    public void End(LzmaStream* stream) => _end(stream);

    private void SetFilters(Filter* filters, byte* options, int preset, int dictionary)
    {
        new Span<byte>(options, OptionsLength).Clear();
        if (_preset(options, (uint)preset) != 0)
            throw new ArgumentOutOfRangeException(nameof(preset), preset, "liblzma has no such preset.");
        *(uint*)options = Math.Min(*(uint*)options, (uint)dictionary);
        filters[0] = new Filter { Id = Lzma2, Options = options };
        filters[1] = new Filter { Id = EndOfFilters };
    }

    /// <summary>lzma_stream of lzma/base.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LzmaStream
    {
        public byte* NextIn;
        public nuint AvailableIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailableOut;
        public ulong TotalOut;
        public nint Allocator;
        public nint Internal;
        public nint Reserved1;
        public nint Reserved2;
        public nint Reserved3;
        public nint Reserved4;
        public ulong SeekPosition;
        public ulong Reserved5;
        public nuint Reserved6;
        public nuint Reserved7;
        public uint Reserved8;
        public uint Reserved9;
    }

    /// <summary>lzma_filter of lzma/filter.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Filter
    {
        public ulong Id;
        public void* Options;
    }
}
