using System.Runtime.ExceptionServices;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// A decompressor over a packet's body whose errors are told apart: what the body threw comes through as it was, whatever else the decompressor
/// throws says that the data is damaged. So does an end of the input before the end of the compressed data, which DeflateStream and ZLibStream
/// take for an end without a word: they read beyond the last byte only when they are not done.
/// </summary>
internal sealed class DecompressedStream : ReadOnlyStream
{
    private readonly Tap _tap;
    private readonly Stream _decompressor;

    private readonly bool _knowsItsEnd;

    /// <summary>Opens the decompressor.</summary>
    /// <param name="compressed">The packet's body; not owned.</param>
    /// <param name="open">Makes the decompressor.</param>
    /// <param name="knowsItsEnd">Whether the decompressor stops reading at the end of the compressed data.</param>
    public DecompressedStream(Stream compressed, Func<Stream, Stream> open, bool knowsItsEnd)
    {
        _knowsItsEnd = knowsItsEnd;
        _tap = new Tap(compressed);
        try
        {
            _decompressor = open(_tap);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw Judge(error);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = _decompressor.Read(buffer);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw Judge(error);
        }

        if (read == 0 && _knowsItsEnd && _tap.Ended)
            throw new OpenPgpException(OpenPgpError.Corrupt, "The message is damaged: its compressed data is cut short.");
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _decompressor.Dispose();
        base.Dispose(disposing);
    }

    private OpenPgpException Judge(Exception error)
    {
        if (_tap.Thrown is { } thrown) ExceptionDispatchInfo.Throw(thrown);
        return new OpenPgpException(OpenPgpError.Corrupt, "The message is damaged: its compressed data does not decompress.", error);
    }

    /// <summary>Notes what the stream beneath throws. Does not own it.</summary>
    private sealed class Tap(Stream source) : ReadOnlyStream
    {
        public Exception? Thrown { get; private set; }

        /// <summary>Whether a read found nothing more.</summary>
        public bool Ended { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            try
            {
                var read = source.Read(buffer);
                Ended |= read == 0 && !buffer.IsEmpty;
                return read;
            }
            catch (Exception error)
            {
                Thrown = error;
                throw;
            }
        }
    }
}
