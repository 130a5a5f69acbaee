using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Cuts a run of documents, pushed in pieces of any size, into documents, and validates each. A document that lies whole within a piece is not copied.
/// Holds one document at most. Not thread-safe; delivers on the caller's thread. Once it threw, it must not be used again.
/// </summary>
internal sealed class DocumentSplitter(string target, int longest, Action<ReadOnlySpan<byte>> deliver)
{
    /// <summary>Bytes of the longest document that servers store.</summary>
    public const int LongestDocument = 16 * 1024 * 1024;

    /// <summary>Bytes of the longest oplog entry: a document and what stands around it.</summary>
    public const int LongestOplogEntry = LongestDocument + (16 * 1024);

    private byte[] _pending = new byte[4096];
    private int _held;

    /// <summary>Bytes of all whole documents so far: where the next one begins.</summary>
    public long Offset { get; private set; }

    /// <summary>Whole documents so far.</summary>
    public long Count { get; private set; }

    /// <summary>Takes the next piece, and delivers what it completes.</summary>
    public void Write(ReadOnlySpan<byte> piece)
    {
        if (_held > 0)
            piece = piece[Fill(piece)..];
        while (piece.Length >= 4)
        {
            var length = Length(piece);
            if (length > piece.Length)
                break;
            Deliver(piece[..length]);
            piece = piece[length..];
        }

        if (!piece.IsEmpty)
            Hold(piece);
    }

    /// <summary>Says that no more comes: a document that was begun is an error.</summary>
    public void Complete()
    {
        if (_held > 0)
            throw DumpCorruption.At(target, Offset, $"it ends within a document, after {_held} bytes of it");
    }

    // Completes the document that was begun, as far as the piece goes. Gives the bytes taken.
    private int Fill(ReadOnlySpan<byte> piece)
    {
        var taken = 0;
        if (_held < 4)
        {
            taken = Math.Min(4 - _held, piece.Length);
            Hold(piece[..taken]);
            if (_held < 4)
                return taken;
        }

        var length = Length(_pending);
        var more = Math.Min(length - _held, piece.Length - taken);
        Hold(piece.Slice(taken, more));
        if (_held == length)
        {
            Deliver(_pending.AsSpan(0, length));
            _held = 0;
        }

        return taken + more;
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        if (_pending.Length - _held < bytes.Length)
            Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _held + bytes.Length));
        bytes.CopyTo(_pending.AsSpan(_held));
        _held += bytes.Length;
    }

    private int Length(ReadOnlySpan<byte> document)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(document);
        return length >= BsonReader.ShortestDocument && length <= longest
            ? length
            : throw DumpCorruption.At(target, Offset, $"a document claims {length} bytes, where 5 to {longest} are possible");
    }

    private void Deliver(ReadOnlySpan<byte> document)
    {
        if (!BsonValidator.TryValidate(document, out var flaw))
            throw DumpCorruption.At(target, Offset, $"a document is not valid BSON: {flaw.ToString().TrimEnd('.')}");
        deliver(document);
        Offset += document.Length;
        Count++;
    }
}
