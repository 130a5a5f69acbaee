using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BotCore.Backup.Engine.Outside.Spill;

/// <summary>
/// AES-256 in counter mode under a key that exists in this object only. The counter is the place in the file, so that any part can be read alone; each place is to be
/// written once. Hides, and does not authenticate: what is spilled is hashed by who spills it. Thread-safe.
/// </summary>
internal sealed class CounterMode : IDisposable
{
    private const int BlockSize = 16;
    private const int ChunkSize = 16 * 1024;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ThreadLocal<(Aes Cipher, byte[] Stream)> _lane;

    public CounterMode() => _lane = new ThreadLocal<(Aes, byte[])>(NewLane, trackAllValues: true);

    /// <summary>Encrypts or decrypts in place what stands at <paramref name="offset"/>.</summary>
    public void Apply(long offset, Span<byte> data)
    {
        var (cipher, stream) = _lane.Value;
        while (!data.IsEmpty)
        {
            var first = offset / BlockSize;
            var skip = (int)(offset % BlockSize);
            var count = Math.Min(data.Length, ChunkSize - skip);
            var blocks = (skip + count + BlockSize - 1) / BlockSize;
            var counters = stream.AsSpan(0, blocks * BlockSize);
            for (var block = 0; block < blocks; block++)
            {
                BinaryPrimitives.WriteUInt64BigEndian(counters[(block * BlockSize)..], 0);
                BinaryPrimitives.WriteInt64BigEndian(counters[((block * BlockSize) + 8)..], first + block);
            }

            cipher.EncryptEcb(counters, counters, PaddingMode.None);
            Xor(data[..count], counters.Slice(skip, count));
            data = data[count..];
            offset += count;
        }
    }

    public void Dispose()
    {
        foreach (var (cipher, stream) in _lane.Values)
        {
            cipher.Dispose();
            CryptographicOperations.ZeroMemory(stream);
        }

        _lane.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }

    private static void Xor(Span<byte> data, ReadOnlySpan<byte> stream)
    {
        var wide = MemoryMarshal.Cast<byte, ulong>(data);
        var mask = MemoryMarshal.Cast<byte, ulong>(stream);
        for (var at = 0; at < wide.Length; at++)
            wide[at] ^= mask[at];
        for (var at = wide.Length * sizeof(ulong); at < data.Length; at++)
            data[at] ^= stream[at];
    }

    private (Aes Cipher, byte[] Stream) NewLane()
    {
        var cipher = Aes.Create();
        cipher.Key = _key;
        return (cipher, new byte[ChunkSize]);
    }
}
