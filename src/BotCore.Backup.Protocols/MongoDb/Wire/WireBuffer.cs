namespace BotCore.Backup.Protocols.MongoDb.Wire;

/// <summary>A byte array that grows with what truly comes, so that a length that lies costs no memory, and is given back when it was large.</summary>
internal sealed class WireBuffer
{
    /// <summary>What is kept while nothing is read, bytes.</summary>
    public const int Kept = 20 << 20;

    private const int First = 64 << 10;
    private const int Step = 1 << 20;

    private byte[] _bytes = [];

    public byte[] Bytes => _bytes;

    /// <summary>Reads exactly <paramref name="count"/> bytes behind the first <paramref name="offset"/>. False when the stream ends before.</summary>
    public bool TryFill(Stream from, int offset, int count)
    {
        var end = offset + count;
        for (var at = offset; at < end;)
        {
            if (_bytes.Length < end && _bytes.Length - at < First)
                Grow(at, end);
            var read = from.Read(_bytes, at, Math.Min(end, _bytes.Length) - at);
            if (read == 0)
                return false;
            at += read;
        }

        return true;
    }

    /// <summary>Gives back what is more than <see cref="Kept"/>.</summary>
    public void Trim()
    {
        if (_bytes.Length > Kept)
            _bytes = [];
    }

    private void Grow(int used, int needed)
    {
        // Small messages share one small array; beyond it, a step and then doubling, and only as bytes arrive.
        var wanted = (needed + Step - 1) / Step * Step;
        var grown = GC.AllocateUninitializedArray<byte>(needed <= First ? First : (int)Math.Min(wanted, Math.Max(Step, 2L * _bytes.Length)));
        _bytes.AsSpan(0, used).CopyTo(grown);
        _bytes = grown;
    }
}
