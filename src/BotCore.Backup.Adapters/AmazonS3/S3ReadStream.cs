using Amazon.S3.Model;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>The body of one answer. Throws StoreUnreachable where it ends too early or stands still. Disposing ends the connection rather than read what nobody wants.</summary>
internal sealed class S3ReadStream(GetObjectResponse answer, S3Connection connection, string key, CancellationToken token) : ForwardStream
{
    private const int BufferSize = 256 * 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly Patience _patience = new(connection.Options.InactivityTimeout, token);
    private long _left = answer.ContentLength;
    private int _from;
    private int _to;

    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        if (_from == _to)
            Fill();
        var take = Math.Min(buffer.Length, _to - _from);
        _buffer.AsSpan(_from, take).CopyTo(buffer);
        _from += take;
        return take;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            answer.Dispose();
            _patience.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Fill()
    {
        if (_left == 0)
            return;
        try
        {
            _patience.Sign();
            (_from, _to) = (0, answer.ResponseStream.ReadAsync(_buffer, _patience.Token).AsTask().GetAwaiter().GetResult());
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
            throw new OperationCanceledException(token);
        }
        catch (Exception wrong) when (connection.Failure(wrong, key) is { } failure)
        {
            throw new BackupException(failure);
        }

        if (_to == 0)
            throw new BackupException(FailureKind.StoreUnreachable, $"The answer for '{key}' of {connection.Keys.Location} ended {_left} bytes too early.", "Look at the network, and run again.", connection.Keys.Location);
        _left -= _to;
    }
}
