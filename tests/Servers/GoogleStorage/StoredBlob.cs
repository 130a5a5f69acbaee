using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace BotCore.Backup.TestServers.GoogleStorage;

/// <summary>Bytes that a server keeps, in a file that goes away with it: what a test weighs in memory is then the client's.</summary>
internal sealed class StoredBlob : IDisposable
{
    private static readonly uint[] Table = MakeTable();

    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private uint _crc = ~0u;

    public StoredBlob(string folder) =>
        _file = File.OpenHandle(Path.Combine(folder, Guid.NewGuid().ToString("N")), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);

    public long Length { get; private set; }

    public string Md5 => Convert.ToBase64String(_md5.GetCurrentHash());

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
        RandomAccess.Write(_file, data, Length);
        Length += data.Length;
        _md5.AppendData(data);
        foreach (var value in data)
            _crc = Table[(byte)(_crc ^ value)] ^ (_crc >> 8);
    }

    public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(_file, buffer, offset);

    public void Dispose()
    {
        _file.Dispose();
        _md5.Dispose();
    }

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
