using BenchmarkDotNet.Attributes;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Bench.Parts;

/// <summary>A block of each codec, of 1 MiB at most, at its default level, there and back.</summary>
[MemoryDiagnoser]
public class CodecBenchmarks
{
    private byte[] _block = [];
    private byte[] _member = [];
    private byte[] _room = [];
    private int _length;
    private IBlockCompressor _compressor = null!;
    private IBlockDecompressor _decompressor = null!;

    /// <summary>The codec's word.</summary>
    [Params("gzip", "bzip2", "xz", "zstd")]
    public string Codec { get; set; } = "gzip";

    /// <summary>Makes the block and its member.</summary>
    [GlobalSetup]
    public void Start()
    {
        var codec = Codecs.ByName(Codec);
        _compressor = codec.CreateCompressor(codec.DefaultLevel);
        _decompressor = codec.CreateDecompressor();
        _block = PlainData.Make(Math.Min(codec.BlockSize(codec.DefaultLevel), 1 << 20));
        _room = new byte[_block.Length];
        _member = new byte[_compressor.MaximumLength(_block.Length)];
        _length = _compressor.Compress(_block, _member);
    }

    /// <summary>Gives the libraries' memory back.</summary>
    [GlobalCleanup]
    public void End()
    {
        _compressor.Dispose();
        _decompressor.Dispose();
    }

    /// <summary>A block to a member.</summary>
    [Benchmark]
    public int Compress() => _compressor.Compress(_block, _member);

    /// <summary>A member to a block.</summary>
    [Benchmark]
    public void Decompress() => _decompressor.Decompress(_member.AsSpan(0, _length), _room);
}
