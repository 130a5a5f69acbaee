using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// One thread's block and compressor: documents go in, and whole blocks go compressed to the spool that is being filled. Blocks hold whole documents, so that those of
/// several lanes may follow one another in any order. Used again for one spool after the other; one thread.
/// </summary>
internal sealed class SpoolLane(ICodec codec, int level) : IDisposable
{
    private readonly IBlockCompressor _compressor = codec.CreateCompressor(level);
    private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(PackedSpool.BlockSize(codec, level));
    private byte[] _member = [];
    private int _length;

    /// <summary>What is not yet in the spool.</summary>
    public ReadOnlySpan<byte> Pending => _block.AsSpan(0, _length);

    /// <summary>Adds one document, or any piece that must stay whole.</summary>
    public void Add(PackedSpool spool, ReadOnlySpan<byte> document)
    {
        if (document.Length > _block.Length - _length)
            Flush(spool);
        if (document.Length > _block.Length)
        {
            spool.Add(document, _block.Length, Compress);
            return;
        }

        document.CopyTo(_block.AsSpan(_length));
        _length += document.Length;
    }

    /// <summary>Hands over what is pending.</summary>
    public void Flush(PackedSpool spool)
    {
        if (_length > 0)
            spool.Add(Pending, _block.Length, Compress);
        _length = 0;
    }

    /// <summary>Forgets what is pending.</summary>
    public void Clear() => _length = 0;

    public void Dispose() => _compressor.Dispose();

    private ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> block)
    {
        if (_member.Length == 0)
            _member = GC.AllocateUninitializedArray<byte>(_compressor.MaximumLength(_block.Length));
        return _member.AsSpan(0, _compressor.Compress(block, _member));
    }
}
