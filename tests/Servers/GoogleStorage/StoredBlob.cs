using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace BotCore.Backup.TestServers.GoogleStorage;

/// <summary>Bytes that a server keeps; many of them in a file that goes away with it: what a test weighs in memory is then the client's.</summary>
internal sealed class StoredBlob(string folder) : IDisposable
{
    private const int MostInMemory = 1 << 20;

    private static readonly uint[] Table = MakeTable();

    private byte[] _small = [];
    private SafeFileHandle? _file;
    private uint _crc = ~0u;

    public long Length { get; private set; }

    public string Md5
    {
        get
        {
            using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
            var buffer = new byte[64 * 1024];
            for (long at = 0; at < Length;)
            {
                var read = Read(buffer, at);
                md5.AppendData(buffer.AsSpan(0, read));
                at += read;
            }

            return Convert.ToBase64String(md5.GetHashAndReset());
        }
    }

    // By a table, bit for bit as the polynomial says it, and not by the instruction that the client uses.
    public string Crc32C
    {
        get
        {
            var bytes = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, ~_crc);
            return Convert.ToBase64String(bytes);
        }
    }

    public void Append(ReadOnlySpan<byte> data)
    {
        if (_file is null && Length + data.Length > MostInMemory)
        {
            _file = File.OpenHandle(Path.Combine(folder, Guid.NewGuid().ToString("N")), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
            RandomAccess.Write(_file, _small, 0);
            _small = [];
        }

        if (_file is null)
            _small = [.. _small, .. data];
        else
            RandomAccess.Write(_file, data, Length);
        Length += data.Length;
        foreach (var value in data)
            _crc = Table[(byte)(_crc ^ value)] ^ (_crc >> 8);
    }

    public int Read(Span<byte> buffer, long offset)
    {
        if (_file is not null)
            return RandomAccess.Read(_file, buffer, offset);
        var count = (int)Math.Min(buffer.Length, Length - offset);
        _small.AsSpan((int)offset, count).CopyTo(buffer);
        return count;
    }

    public void Dispose() => _file?.Dispose();

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var index = 0u; index < table.Length; index++)
        {
            var value = index;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? 0x82F63B78 ^ (value >> 1) : value >> 1;
            table[index] = value;
        }

        return table;
    }
}
