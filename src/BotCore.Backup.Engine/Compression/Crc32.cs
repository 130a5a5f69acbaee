using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// The CRC-32 of gzip (RFC 1952 8): by carry-less multiplication where the processor has it, else eight bytes at a time by tables.
/// Method and constants of the first: V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009, bit-reflected.
/// </summary>
internal static class Crc32
{
    private const uint Polynomial = 0xEDB88320;
    private const int TableCount = 8;
    private const int FoldWidth = 64;

    private static readonly uint[] Tables = MakeTables();

    /// <summary>The CRC of some bytes followed by <paramref name="data"/>, where <paramref name="crc"/> is that of the bytes before; 0 for none.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        crc = ~crc;
        if (Pclmulqdq.IsSupported && data.Length >= FoldWidth)
        {
            var folded = data.Length & ~15;
            crc = Fold(crc, data[..folded]);
            data = data[folded..];
        }

        return ~ByTables(crc, data);
    }

    /// <summary>By tables alone; the state goes in and out uninverted.</summary>
    internal static uint ByTables(uint state, ReadOnlySpan<byte> data)
    {
        ref var tables = ref MemoryMarshal.GetArrayDataReference(Tables);
        for (; data.Length >= 8; data = data[8..])
        {
            var low = state ^ BinaryPrimitives.ReadUInt32LittleEndian(data);
            var high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            state = Unsafe.Add(ref tables, (7 * 256) + (int)(low & 0xFF))
                ^ Unsafe.Add(ref tables, (6 * 256) + (int)((low >> 8) & 0xFF))
                ^ Unsafe.Add(ref tables, (5 * 256) + (int)((low >> 16) & 0xFF))
                ^ Unsafe.Add(ref tables, (4 * 256) + (int)(low >> 24))
                ^ Unsafe.Add(ref tables, (3 * 256) + (int)(high & 0xFF))
                ^ Unsafe.Add(ref tables, (2 * 256) + (int)((high >> 8) & 0xFF))
                ^ Unsafe.Add(ref tables, 256 + (int)((high >> 16) & 0xFF))
                ^ Unsafe.Add(ref tables, (int)(high >> 24));
        }

        foreach (var value in data)
            state = Tables[(byte)(state ^ value)] ^ (state >> 8);

        return state;
    }

    /// <summary>Folds at least 64 bytes, a multiple of 16, into 16 that have the same CRC.</summary>
    private static uint Fold(uint state, ReadOnlySpan<byte> data)
    {
        var vectors = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        var by512 = Vector128.Create(0x1_5444_2BD4UL, 0x1_C6E4_1596UL);
        var by128 = Vector128.Create(0x1_7519_97D0UL, 0x0_CCAA_009EUL);

        var first = vectors[0] ^ Vector128.CreateScalar((ulong)state);
        var second = vectors[1];
        var third = vectors[2];
        var fourth = vectors[3];
        for (vectors = vectors[4..]; vectors.Length >= 4; vectors = vectors[4..])
        {
            first = Shift(first, by512) ^ vectors[0];
            second = Shift(second, by512) ^ vectors[1];
            third = Shift(third, by512) ^ vectors[2];
            fourth = Shift(fourth, by512) ^ vectors[3];
        }

        var rest = Shift(first, by128) ^ second;
        rest = Shift(rest, by128) ^ third;
        rest = Shift(rest, by128) ^ fourth;
        foreach (var vector in vectors)
            rest = Shift(rest, by128) ^ vector;

        return ByTables(0, MemoryMarshal.AsBytes(new ReadOnlySpan<Vector128<ulong>>(in rest)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Shift(Vector128<ulong> value, Vector128<ulong> constants) =>
        Pclmulqdq.CarrylessMultiply(value, constants, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, constants, 0x11);

    private static uint[] MakeTables()
    {
        var tables = new uint[TableCount * 256];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? Polynomial ^ (value >> 1) : value >> 1;
            tables[i] = value;
        }

        for (var i = 256; i < tables.Length; i++)
            tables[i] = (tables[i - 256] >> 8) ^ tables[(byte)tables[i - 256]];

        return tables;
    }
}
