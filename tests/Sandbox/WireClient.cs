using System.Net.Sockets;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;

namespace BotCore.Backup.Sandbox.Tests;

/// <summary>Speaks the bare protocol, so that a test sees answers as they come.</summary>
internal sealed class WireClient : IDisposable
{
    private readonly TcpClient _socket;
    private readonly WireReader _reader;
    private readonly WireWriter _writer;
    private int _id;

    public WireClient(SandboxServer server)
    {
        _socket = new TcpClient("127.0.0.1", server.Port) { NoDelay = true };
        var stream = _socket.GetStream();
        stream.ReadTimeout = 30_000;
        _reader = new WireReader(stream);
        _writer = new WireWriter(stream);
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The answer, whatever it says.</summary>
    public RawBson Ask(string database, BsonBuilder command, OpMsgFlags flags = OpMsgFlags.None)
    {
        _writer.Write(++_id, 0, flags, command.Append("$db", database).Finish().Span);
        return Next();
    }

    public RawBson Ask(string database, BsonBuilder command, string sequence, ReadOnlySpan<byte> documents)
    {
        _writer.Write(++_id, 0, OpMsgFlags.None, command.Append("$db", database).Finish().Span, sequence, documents);
        return Next();
    }

    /// <summary>The answer, which must be good.</summary>
    public RawBson Run(string database, BsonBuilder command)
    {
        var reply = Ask(database, command);
        return reply.IsTrue("ok"u8) ? reply : throw new InvalidOperationException($"{reply.FindInt64("code"u8)} {reply.FindString("errmsg"u8)}");
    }

    /// <summary>An answer that comes unasked.</summary>
    public RawBson Next() => Next(out _);

    public RawBson Next(out bool moreToCome)
    {
        var message = _reader.Read();
        moreToCome = message.MoreToCome;
        return message.Body.Copy();
    }

    public RawBson Query(BsonBuilder command)
    {
        _writer.WriteQuery(++_id, "admin.$cmd", command.Finish().Span);
        return Next();
    }
}
