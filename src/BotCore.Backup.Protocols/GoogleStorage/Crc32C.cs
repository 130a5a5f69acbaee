using System.Buffers.Binary;
using System.Numerics;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>CRC-32C (Castagnoli), the checksum that Google Cloud Storage keeps of every object. A mutable value: one for each stream of bytes.</summary>
public struct Crc32C
{
    private uint _inverted;

    /// <summary>The sum of all bytes so far.</summary>
    public readonly uint Value => _inverted;

    /// <summary>Takes in more bytes.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        var crc = ~_inverted;
        while (data.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }

        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        _inverted = ~crc;
    }

    /// <summary>As the API has it: four bytes, the highest first, in base64.</summary>
    public override readonly string ToString()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, _inverted);
        return Convert.ToBase64String(bytes);
    }
}
