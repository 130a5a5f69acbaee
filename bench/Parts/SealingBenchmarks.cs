using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Bench.Parts;

/// <summary>What every byte of an archive passes beside its codec: OpenPGP there and back, and the digest of the archive. 16 MiB each.</summary>
[MemoryDiagnoser]
public class SealingBenchmarks
{
    private const int Length = 16 << 20;

    // The lowest count there is: what is measured is the stream, not the derivation of the key.
    private const byte QuickS2K = 0;

    private readonly byte[] _plain = PlainData.Make(Length);
    private readonly PassphraseKeyring _keyring = new("correct horse"u8);
    private MessageKey _key = null!;
    private byte[] _sealed = [];

    /// <summary>Seals once, for the benchmark that opens.</summary>
    [GlobalSetup]
    public void Start()
    {
        _key = _keyring.Create(QuickS2K);
        var output = new MemoryStream();
        Write(output);
        _sealed = output.ToArray();
    }

    /// <summary>Forgets the key.</summary>
    [GlobalCleanup]
    public void End() => _keyring.Dispose();

    /// <summary>AES-256 in CFB and SHA-1, as partial packets.</summary>
    [Benchmark]
    public void Encrypt() => Write(Stream.Null);

    /// <summary>The way back, with the integrity code compared.</summary>
    [Benchmark]
    public void Decrypt()
    {
        using var reader = SymmetricMessageReader.Open(new MemoryStream(_sealed), _keyring.Get);
        reader.CopyTo(Stream.Null, 1 << 17);
    }

    /// <summary>SHA-256 of the archive.</summary>
    [Benchmark]
    public byte[] Digest() => SHA256.HashData(_plain);

    private void Write(Stream output)
    {
        using var writer = new SymmetricMessageWriter(output, _key, leaveOpen: true);
        writer.Write(_plain);
        writer.Complete();
    }
}
