using System.Net;
using System.Runtime.ExceptionServices;

namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>
/// A body that somebody writes while it is sent, of unknown length. The writer blocks, so it has a thread of its own; what it throws is kept, since it is the reason why the request broke, and not
/// the connection. For one request.
/// </summary>
internal sealed class ProducedContent(Action<Stream> write, InactivityWatch watch) : HttpContent
{
    private ExceptionDispatchInfo? _wrong;

    /// <summary>Throws what the writer threw, if it did.</summary>
    public void Rethrow() => _wrong?.Throw();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await Task.Factory.StartNew(
            () =>
            {
                using var watched = new WatchedStream(stream, watch, cancellationToken);
                using var buffered = new BufferedStream(watched, 256 * 1024);
                try
                {
                    write(buffered);
                    buffered.Flush();
                }
                catch (Exception wrong) when (watched.Broke is null)
                {
                    _wrong = ExceptionDispatchInfo.Capture(wrong);
                    throw new IOException("What was to be sent could not be read.", wrong);
                }
            },
            cancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private sealed class WatchedStream(Stream inner, InactivityWatch watch, CancellationToken token) : Stream
    {
        /// <summary>Set where the connection failed, and not the writer.</summary>
        public Exception? Broke { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (count == 0 || Broke is not null)
                return;
            try
            {
                watch.Touch();
                inner.WriteAsync(buffer.AsMemory(offset, count), token).AsTask().GetAwaiter().GetResult();
                watch.Touch();
            }
            catch (Exception wrong)
            {
                Broke = wrong;
                throw;
            }
        }

        public override void Flush()
        {
            // The connection's own affair.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
