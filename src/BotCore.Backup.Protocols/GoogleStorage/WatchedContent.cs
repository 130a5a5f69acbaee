using System.Net;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>The body of a request, sent piece by piece so that a stalled connection is told from a slow one.</summary>
internal sealed class WatchedContent(IReadOnlyList<ReadOnlyMemory<byte>> parts, InactivityWatch watch) : HttpContent
{
    private const int Piece = 64 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (var part in parts)
        {
            for (var sent = 0; sent < part.Length; sent += Piece)
            {
                await stream.WriteAsync(part.Slice(sent, Math.Min(Piece, part.Length - sent)), cancellationToken);
                watch.Touch();
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = parts.Sum(part => (long)part.Length);
        return true;
    }
}
