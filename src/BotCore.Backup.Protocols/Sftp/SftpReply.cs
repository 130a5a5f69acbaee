using System.Buffers;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>One answer: its type and what follows the request id. Belongs to who waited for it.</summary>
internal sealed class SftpReply(SftpPacketType type, byte[] buffer, int offset, int length, bool isRented)
{
    public SftpPacketType Type => type;

    public PacketReader Read() => new(buffer.AsSpan(offset, length));

    /// <summary>Gives a large buffer back for the next answer. What was read from it must not be used any more.</summary>
    public void Return()
    {
        if (isRented)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>The bytes of a DATA packet, where they lie.</summary>
    public ReadOnlyMemory<byte> Data()
    {
        var reader = Read();
        var data = reader.Bytes().Length;
        return buffer.AsMemory(offset + 4, data);
    }
}

/// <summary>An answer that is still to come. Whoever does not wait for it any more just lets go.</summary>
internal sealed class SftpPending(SftpConnection connection, bool isSlow)
{
    private readonly TaskCompletionSource<SftpReply> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the server may take long over it.</summary>
    public bool IsSlow => isSlow;

    /// <summary>Whether <see cref="Wait"/> would not block.</summary>
    public bool IsDone => _source.Task.IsCompleted;

    public void Complete(SftpReply reply) => _source.TrySetResult(reply);

    public void Fail(SftpException failure) => _source.TrySetException(failure);

    /// <summary>Blocks until the answer is there. Throws <see cref="SftpException"/> where the connection is lost first.</summary>
    public SftpReply Wait(CancellationToken token)
    {
        try
        {
            _source.Task.Wait(token);
        }
        catch (AggregateException)
        {
            // Thrown anew, so that every waiter has its own stack.
            throw connection.Failure();
        }

        return _source.Task.Result;
    }
}
