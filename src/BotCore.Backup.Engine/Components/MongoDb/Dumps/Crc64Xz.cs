using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>CRC-64/XZ, Go's crc64.ECMA: eight bytes at a time by tables. Source: ECMA-182 annex B, reflected.</summary>
internal static class Crc64Xz
{
    private const ulong Polynomial = 0xC96C_5795_D787_0F42;
    private const int TableCount = 8;

    private static readonly ulong[] Tables = MakeTables();

    /// <summary>The CRC of some bytes followed by <paramref name="data"/>, where <paramref name="crc"/> is that of the bytes before; 0 for none.</summary>
    public static ulong Append(ulong crc, ReadOnlySpan<byte> data)
    {
        var state = ~crc;
        ref var tables = ref MemoryMarshal.GetArrayDataReference(Tables);
        for (; data.Length >= 8; data = data[8..])
        {
            state ^= BinaryPrimitives.ReadUInt64LittleEndian(data);
            state = Unsafe.Add(ref tables, (7 * 256) + (int)(state & 0xFF))
                ^ Unsafe.Add(ref tables, (6 * 256) + (int)((state >> 8) & 0xFF))
                ^ Unsafe.Add(ref tables, (5 * 256) + (int)((state >> 16) & 0xFF))
                ^ Unsafe.Add(ref tables, (4 * 256) + (int)((state >> 24) & 0xFF))
                ^ Unsafe.Add(ref tables, (3 * 256) + (int)((state >> 32) & 0xFF))
                ^ Unsafe.Add(ref tables, (2 * 256) + (int)((state >> 40) & 0xFF))
                ^ Unsafe.Add(ref tables, 256 + (int)((state >> 48) & 0xFF))
                ^ Unsafe.Add(ref tables, (int)(state >> 56));
        }

        foreach (var value in data)
            state = Tables[(byte)(state ^ value)] ^ (state >> 8);
        return ~state;
    }

    private static ulong[] MakeTables()
    {
        var tables = new ulong[TableCount * 256];
        for (var i = 0u; i < 256; i++)
        {
            ulong value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? Polynomial ^ (value >> 1) : value >> 1;
            tables[i] = value;
        }

        for (var i = 256; i < tables.Length; i++)
            tables[i] = (tables[i - 256] >> 8) ^ tables[(byte)tables[i - 256]];
        return tables;
    }
}
