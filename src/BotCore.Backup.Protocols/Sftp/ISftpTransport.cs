namespace BotCore.Backup.Protocols.Sftp;

/// <summary>What carries the packets: the pipes of an ssh, or any pair of streams.</summary>
internal interface ISftpTransport : IDisposable
{
    Stream FromServer { get; }

    Stream ToServer { get; }

    /// <summary>Breaks both ways at once, whoever reads or writes; from any thread, and more than once.</summary>
    void Abort();

    /// <summary>Tells the server that there is no more, and lets it go.</summary>
    void Close();

    /// <summary>Why the connection ended, as far as can be known.</summary>
    SftpException Explain(bool wasEstablished, Exception? cause);
}

/// <summary>A pair of streams whose ends know nothing of why they end.</summary>
internal sealed class StreamTransport(Stream fromServer, Stream toServer, IDisposable? owner) : ISftpTransport
{
    public Stream FromServer => fromServer;

    public Stream ToServer => toServer;

    public void Abort()
    {
        owner?.Dispose();
        Close();
        fromServer.Dispose();
    }

    public void Close()
    {
        try
        {
            toServer.Dispose();
        }
        catch (IOException)
        {
            // Broken already.
        }
    }

    public SftpException Explain(bool wasEstablished, Exception? cause) =>
        new(wasEstablished ? SftpError.ConnectionLost : SftpError.Unreachable, $"The connection was lost: {cause?.Message ?? "the server closed it"}.".Replace("..", ".", StringComparison.Ordinal), cause);

    public void Dispose() => Abort();
}
