namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Documents one behind the other in one buffer, to be sent as a kind 1 section. May be used again after <see cref="Clear"/>. Not thread-safe.</summary>
public sealed class DocumentSequence
{
    private readonly List<int> _starts = [];
    private byte[] _buffer = [];

    /// <summary>How many documents are in it.</summary>
    public int Count => _starts.Count;

    /// <summary>Bytes of all documents.</summary>
    public int Bytes { get; private set; }

    internal ReadOnlySpan<byte> All => _buffer.AsSpan(0, Bytes);

    /// <summary>A document, valid until the next change here.</summary>
    public ReadOnlySpan<byte> this[int index] => All[_starts[index]..(index + 1 < _starts.Count ? _starts[index + 1] : Bytes)];

    /// <summary>Empties it and keeps the buffer.</summary>
    public void Clear()
    {
        _starts.Clear();
        Bytes = 0;
    }

    /// <summary>
    /// Appends a copy of a document. False, and nothing appended, where <paramref name="maxDocuments"/> are in it or it would pass <paramref name="maxBytes"/>; but an
    /// empty sequence takes any document, so that a large one can always be sent alone.
    /// </summary>
    public bool TryAdd(ReadOnlySpan<byte> document, int maxBytes, int maxDocuments)
    {
        if (Count > 0 && (Count >= maxDocuments || (long)Bytes + document.Length > maxBytes))
            return false;
        if (_buffer.Length - Bytes < document.Length)
            Array.Resize(ref _buffer, (int)Math.Min(Math.Max(2L * _buffer.Length, Math.Max(64 << 10, (long)Bytes + document.Length)), Array.MaxLength));
        document.CopyTo(_buffer.AsSpan(Bytes));
        _starts.Add(Bytes);
        Bytes += document.Length;
        return true;
    }
}
