using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>
/// Write-only: what is written goes through <c>gpg --encrypt</c> into the output. <see cref="Complete"/> ends the message and proves it; disposing without it
/// kills gpg and leaves the output cut off. Used by one thread.
/// </summary>
public sealed class GpgEncryptStream : Stream
{
    private readonly GpgProcess _gpg;
    private readonly GpgDrain _drain;
    private readonly Stream _output;
    private readonly Func<string, GpgKeyState> _stateOf;
    private readonly CancellationToken _token;
    private readonly CancellationTokenRegistration _cancel;
    private bool _completed;
    private bool _disposed;

    internal GpgEncryptStream(GpgProcess gpg, Stream output, Func<string, GpgKeyState> stateOf, CancellationToken token)
    {
        _gpg = gpg;
        _output = output;
        _stateOf = stateOf;
        _token = token;
        _drain = new GpgDrain(gpg, output);
        _cancel = token.UnsafeRegister(static process => ((GpgProcess)process!).Kill(), gpg);
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => !_disposed && !_completed;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    internal int ProcessId => _gpg.Id;

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_completed)
            throw new InvalidOperationException("The message is complete.");
        _token.ThrowIfCancellationRequested();
        try
        {
            _gpg.Input.Write(buffer);
        }
        catch (IOException)
        {
            // gpg reads no more: it refused a recipient, was killed, or its output failed.
            End();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>
    /// Ends the message, waits until all of it is in the output, flushes that, and checks that gpg made it. May be called once.
    /// </summary>
    /// <exception cref="BackupException">
    /// ConfigurationInvalid: a recipient is unknown, expired, revoked or not trusted. What the output threw comes through as it was.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_completed)
            throw new InvalidOperationException("The message is complete already.");
        _completed = true;
        _gpg.CloseInput();
        End();
        _output.Flush();
    }

    /// <summary>Does nothing: gpg decides when bytes leave it.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _cancel.Dispose();
            _drain.Dispose();
            _gpg.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Waits for gpg's end and throws unless it made a whole message.</summary>
    private void End()
    {
        _drain.Wait(_token);
        var report = _gpg.Finish();
        _drain.ThrowFailure();
        if (report.ExitCode == 0 && report.Has("END_ENCRYPTION"))
            return;
        _token.ThrowIfCancellationRequested();
        throw new BackupException(GpgFailures.Encrypting(report, _stateOf));
    }
}
