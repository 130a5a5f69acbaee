using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>What stands at a path of an archive, as far as its shape goes.</summary>
internal enum PathState
{
    /// <summary>Not seen.</summary>
    None = 0,

    /// <summary>A directory with an entry of its own.</summary>
    Directory,

    /// <summary>A directory that only paths below it speak of.</summary>
    ImpliedDirectory,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,

    /// <summary>A pipe or a device.</summary>
    Special,
}

/// <summary>
/// The paths of an archive and their states in 8 bytes a slot (11 to 22 bytes a path): a keyed 61-bit hash stands for the path. The key is random, so a crafted
/// archive cannot aim for a collision; by accident a million paths have one in about 5 million runs. Not thread-safe.
/// </summary>
internal sealed class PathTable
{
    private const int StateBits = 3;
    private const ulong StateMask = (1 << StateBits) - 1;

    private readonly ulong _key0 = RandomKey();
    private readonly ulong _key1 = RandomKey();
    private ulong[] _slots = new ulong[1024];
    private int _count;

    internal PathState this[ReadOnlySpan<byte> path]
    {
        get => (PathState)(_slots[Find(_slots, Hash(path))] & StateMask);
        set
        {
            var hash = Hash(path);
            ref var slot = ref _slots[Find(_slots, hash)];
            if (slot == 0)
                _count++;
            slot = hash | (ulong)value;
            if (_count > _slots.Length / 4 * 3)
                Grow();
        }
    }

    // Linear probing over a power of two; a state is never None, so 0 is a free slot.
    private static int Find(ulong[] slots, ulong hash)
    {
        var mask = slots.Length - 1;
        var at = (int)(hash >> StateBits) & mask;
        while (slots[at] != 0 && (slots[at] & ~StateMask) != hash)
            at = (at + 1) & mask;
        return at;
    }

    private void Grow()
    {
        var slots = new ulong[2 * _slots.Length];
        foreach (var slot in _slots)
        {
            if (slot != 0)
                slots[Find(slots, slot & ~StateMask)] = slot;
        }

        _slots = slots;
    }

    private static ulong RandomKey()
    {
        Span<byte> key = stackalloc byte[8];
        RandomNumberGenerator.Fill(key);
        return BinaryPrimitives.ReadUInt64LittleEndian(key);
    }

    private ulong Hash(ReadOnlySpan<byte> path) => SipHash(_key0, _key1, path) & ~StateMask;

    /// <summary>SipHash-2-4 (Aumasson and Bernstein, 2012).</summary>
    internal static ulong SipHash(ulong key0, ulong key1, ReadOnlySpan<byte> data)
    {
        var v0 = key0 ^ 0x736f6d6570736575;
        var v1 = key1 ^ 0x646f72616e646f6d;
        var v2 = key0 ^ 0x6c7967656e657261;
        var v3 = key1 ^ 0x7465646279746573;
        var last = (ulong)data.Length << 56;
        for (; data.Length >= 8; data = data[8..])
            Absorb(BinaryPrimitives.ReadUInt64LittleEndian(data), ref v0, ref v1, ref v2, ref v3);
        for (var at = 0; at < data.Length; at++)
            last |= (ulong)data[at] << (8 * at);
        Absorb(last, ref v0, ref v1, ref v2, ref v3);
        v2 ^= 0xFF;
        for (var round = 0; round < 4; round++)
            Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Absorb(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
