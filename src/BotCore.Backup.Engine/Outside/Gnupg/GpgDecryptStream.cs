using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>Read-only: the plaintext that <c>gpg --decrypt</c> makes. A read gives 0 only after gpg ended well and said that the message is whole.</summary>
internal sealed class GpgDecryptStream : Stream
{
    private readonly GpgProcess _gpg;
    private readonly GpgFeed _feed;
    private readonly CancellationToken _token;
    private readonly CancellationTokenRegistration _cancel;
    private ExceptionDispatchInfo? _failure;
    private bool _proven;
    private bool _disposed;

    internal GpgDecryptStream(GpgProcess gpg, Stream input, CancellationToken token)
    {
        _gpg = gpg;
        _token = token;
        _feed = new GpgFeed(gpg, input);
        _cancel = token.UnsafeRegister(static process => ((GpgProcess)process!).Kill(), gpg);
    }

    public override bool CanRead => !_disposed;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    internal int ProcessId => _gpg.Id;

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _failure?.Throw();
        if (buffer.IsEmpty || _proven)
            return 0;
        try
        {
            _token.ThrowIfCancellationRequested();
            var count = _gpg.Output.Read(buffer);
            if (count > 0)
                return count;
            Prove();
            _proven = true;
            return 0;
        }
        catch (Exception failure)
        {
            // A second read must not take the broken end for a good one.
            _failure = ExceptionDispatchInfo.Capture(failure);
            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _cancel.Dispose();
            _feed.Dispose();
            _gpg.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Prove()
    {
        var report = _gpg.Finish();
        _feed.ThrowFailure();
        if (report.ExitCode == 0 && report.Has("DECRYPTION_OKAY") && report.Has("GOODMDC"))
            return;
        _token.ThrowIfCancellationRequested();
        throw new BackupException(GpgFailures.Decrypting(report));
    }
}
