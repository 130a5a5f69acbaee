using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Takes content that may be gzip data in pieces, and delivers it without gzip. What is not gzip data is delivered on the caller's thread, within <see cref="Write"/>;
/// what is, on a thread of its own, one piece after the other, from the first <see cref="Write"/> until <see cref="Complete"/> or <see cref="Dispose"/> returns: until
/// then the caller must leave alone what the delivery touches. Exceptions of the delivery come out of the next call here, unchanged.
/// </summary>
internal sealed class GzipContent(string target, bool mustBeGzip, Action<ReadOnlySpan<byte>> deliver) : IDisposable
{
    private byte[] _head = new byte[64];
    private int _held;
    private bool? _isGzip;
    private BoundedPipe? _pipe;
    private Thread? _thread;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Whether it is gzip data, as far as was told yet.</summary>
    public bool IsGzip => _isGzip ?? false;

    /// <summary>Takes the next piece. Returns when it was delivered or has a place in the pipe.</summary>
    public void Write(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
            return;
        if (_isGzip is null)
        {
            Hold(piece);
            Decide(ended: false);
            return;
        }

        Pass(piece);
    }

    /// <summary>Says that no more comes, and returns when all was delivered. Gzip data that is cut off is an error here.</summary>
    public void Complete()
    {
        if (_isGzip is null)
            Decide(ended: true);
        if (_thread is not null)
        {
            _pipe!.Complete();
            _thread.Join();
            _thread = null;
        }

        _failure?.Throw();
    }

    /// <summary>Ends the thread. Without <see cref="Complete"/>, what was not delivered yet is dropped.</summary>
    public void Dispose()
    {
        if (_thread is not null)
        {
            _pipe!.Break();
            _thread.Join();
            _thread = null;
        }

        _pipe?.Dispose();
        _pipe = null;
    }

    private void Hold(ReadOnlySpan<byte> piece)
    {
        if (_head.Length - _held < piece.Length)
            Array.Resize(ref _head, Math.Max(_head.Length * 2, _held + piece.Length));
        piece.CopyTo(_head.AsSpan(_held));
        _held += piece.Length;
    }

    private void Decide(bool ended)
    {
        _isGzip = GzipDetection.IsGzip(_head.AsSpan(0, _held), ended);
        if (_isGzip is null)
            return;
        if (mustBeGzip && _isGzip == false)
            throw DumpCorruption.Of(target, "its name says gzip data, and it is none");
        if (_isGzip == true)
            Start();
        var head = _head;
        _head = [];
        if (_held > 0)
            Pass(head.AsSpan(0, _held));
    }

    private void Start()
    {
        _pipe = new BoundedPipe();
        _thread = new Thread(Gunzip) { IsBackground = true, Name = "gunzip of a dump" };
        _thread.Start();
    }

    private void Pass(ReadOnlySpan<byte> piece)
    {
        if (_pipe is null)
        {
            deliver(piece);
            return;
        }

        _pipe.Write(piece);
        // Set before the pipe is broken, and a broken pipe has returned.
        Volatile.Read(ref _failure)?.Throw();
    }

    private void Gunzip()
    {
        var buffer = new byte[256 * 1024];
        long offset = 0;
        try
        {
            using var gzip = new GzipReader(_pipe!, leaveOpen: true);
            while (Read(gzip, buffer, offset) is > 0 and var length)
            {
                deliver(buffer.AsSpan(0, length));
                offset += length;
            }
        }
        catch (Exception e)
        {
            Volatile.Write(ref _failure, ExceptionDispatchInfo.Capture(e));
            _pipe!.Break();
        }
    }

    private int Read(GzipReader gzip, byte[] buffer, long offset)
    {
        try
        {
            return gzip.Read(buffer);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw DumpCorruption.At(target, offset, $"its gzip data cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }
}
