using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>
/// Reads any number of bzip2 streams in sequence with the library of the adapters, which knows one. As strict as with libbz2: an empty source, an end inside a stream and bytes behind the last one but zeros are damage. Once it
/// threw, it throws. Not thread-safe.
/// </summary>
internal sealed class AdaptedBzip2Reader(IBzip2Library library, Stream compressed, bool leaveOpen) : ForwardStream
{
    private readonly Bzip2Source _source = new(compressed);
    private ExceptionDispatchInfo? _failure;
    private Stream? _stream;
    private bool _begun;
    private bool _ended;
    private bool _disposed;

    public override bool CanRead => !_disposed;

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _failure?.Throw();
        if (buffer.IsEmpty)
            return 0;
        try
        {
            while (!_ended)
            {
                _stream ??= NextStream();
                if (_stream is null)
                    break;
                if (_stream.Read(buffer) is > 0 and var count)
                    return count;
                _stream.Dispose();
                _stream = null;
            }

            return 0;
        }
        catch (Exception e)
        {
            // Where the source failed, that is what happened, whatever the library made of it.
            _failure = _source.Failure ?? ExceptionDispatchInfo.Capture(e);
            _failure.Throw();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _stream?.Dispose();
            _source.Dispose();
            if (!leaveOpen)
                compressed.Dispose();
        }

        base.Dispose(disposing);
    }

    private Stream? NextStream()
    {
        if (_begun)
        {
            var zeros = false;
            for (; !_source.IsAtEnd && _source.Next == 0; _source.Skip())
                zeros = true;
            if (_source.IsAtEnd)
            {
                _ended = true;
                return null;
            }

            if (zeros)
                throw new InvalidDataException("Bytes that are not bzip2 data follow the bzip2 stream.");
        }

        _begun = true;
        if (_source.IsAtEnd)
            throw new InvalidDataException("The bzip2 stream ends early.");
        return Bzip2Source.IsStream(_source) ? library.OpenReader(_source) : throw new InvalidDataException("The bzip2 stream is damaged.");
    }
}
