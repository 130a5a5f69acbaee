using System.Security.Cryptography;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// A passphrase as bytes, without a line end. The bytes lie in pinned memory, so that no copy is left behind, and are zeroed by <see cref="Dispose"/>.
/// One owner; not thread-safe against its own disposal.
/// </summary>
public sealed class Passphrase : IDisposable
{
    private byte[]? _bytes;

    internal Passphrase(ReadOnlySpan<byte> bytes)
    {
        _bytes = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(_bytes);
    }

    /// <summary>The bytes; valid until <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes ?? throw new ObjectDisposedException(nameof(Passphrase));

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => Secret.Mask;

    /// <summary>Zeroes the bytes.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_bytes);
        _bytes = null;
    }
}
