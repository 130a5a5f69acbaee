using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using BotCore.Backup.Sandbox.Commands;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Wire;

/// <summary>One connection and its thread: reads a command, has it carried out, sends the answer, and streams where the client takes that.</summary>
internal sealed class ClientConnection(ServerState server, TcpClient socket, int number) : IDisposable
{
    private static readonly TimeSpan StreamedWait = TimeSpan.FromSeconds(1);

    private readonly Dispatcher _dispatcher = new(server);
    private readonly ClientState _client = new(number);
    private readonly BsonBuilder _reply = new(64 << 10);
    private int _lastId;
    private bool _isStreaming;

    public void Dispose() => socket.Dispose();

    public void Serve()
    {
        try
        {
            socket.NoDelay = true;
            using var stream = Open();
            using var faulty = new FaultStream(stream);
            var reader = new WireReader(stream);
            var writer = new WireWriter(faulty);
            while (reader.TryRead(out var message) && Answer(message, writer, faulty))
                reader.Trim();
        }
        catch (Exception e) when (e is IOException or MongoException or AuthenticationException or ObjectDisposedException or SocketException or InvalidOperationException or ArgumentException or ArithmeticException or FormatException or BsonException)
        {
            // The client went away, or spoke what nobody understands: the connection ends, as the real server ends it.
        }
        finally
        {
            socket.Dispose();
        }
    }

    private Stream Open()
    {
        var stream = socket.GetStream();
        if (server.Options.Certificate is not { } certificate)
            return stream;
        var tls = new SslStream(stream);
        tls.AuthenticateAsServer(certificate, clientCertificateRequired: false, checkCertificateRevocation: false);
        return tls;
    }

    // False ends the connection.
    private bool Answer(OpMsg message, WireWriter writer, FaultStream faulty)
    {
        var context = Context(message);
        var fault = Fault(context);
        if (fault is { Kind: SandboxFaultKind.CloseConnection, Moment: SandboxFaultMoment.BeforeCommand })
            return false;
        if (fault is { Kind: SandboxFaultKind.Error })
            Dispatcher.Fail(_reply, fault.Code, "A fault that a test asked for.");
        else
            Carry(context, fault);
        if (fault is { Kind: SandboxFaultKind.CloseConnection, Moment: SandboxFaultMoment.BeforeReply })
            return false;
        if (fault is { Kind: SandboxFaultKind.Delay, Moment: SandboxFaultMoment.BeforeReply })
            fault.Gate?.Wait();
        if (message.OpCode == WireOpCode.Query)
        {
            writer.WriteReply(++_lastId, message.RequestId, _reply.Finish().Span);
            return true;
        }

        // A client that says moreToCome wants no answer (writeConcern 0).
        if (message.MoreToCome)
            return true;
        faulty.Arm(fault, _reply.Finish().Length / 2);
        Send(context, writer);
        while (context.Streaming is { } cursor)
        {
            fault = Fault(context, "getMore");
            if (fault is { Kind: SandboxFaultKind.CloseConnection })
                return false;
            Stream(context, cursor);
            Send(context, writer);
        }

        return true;
    }

    private void Carry(CommandContext context, SandboxFault? fault)
    {
        if (fault is { Kind: SandboxFaultKind.Delay, Moment: SandboxFaultMoment.BeforeCommand })
            fault.Gate?.Wait();
        _dispatcher.Run(context);
    }

    private CommandContext Context(OpMsg message)
    {
        _reply.Clear();
        var name = Dispatcher.NameOf(message);
        var database = message.OpCode == WireOpCode.Query ? message.QueryCollection!.Split('.')[0] : message.Body.FindString("$db"u8) ?? "";
        // A cursor asks its filter again long after the next request has been read into the same buffer.
        var command = name is "find" or "aggregate" or "listCollections" or "listIndexes" ? message.Body.Copy() : message.Body;
        return new CommandContext(server, _client, message, _reply) { Name = name, Database = database, Command = command };
    }

    private SandboxFault? Fault(CommandContext context, string? name = null)
    {
        if (server.Options.Fault is not { } ask)
            return null;
        var command = name ?? context.Name;
        var target = context.Command.FindString(System.Text.Encoding.UTF8.GetBytes(context.Name)) ?? context.Command.FindString("collection"u8);
        return ask(command, target is null ? context.Database : $"{context.Database}.{target}", server.Faults.Next(command));
    }

    private void Send(CommandContext context, WireWriter writer)
    {
        var message = context.Message;
        var flags = context.Streaming is null ? OpMsgFlags.None : OpMsgFlags.MoreToCome;
        var previous = _lastId == 0 || !_isStreaming ? message.RequestId : _lastId;
        _isStreaming = context.Streaming is not null;
        writer.Write(++_lastId, previous, flags, _reply.Finish().Span, message.Compressor == WireCompressor.Zlib ? WireCompressor.Zlib : WireCompressor.None);
    }

    // What a getMore would have given, without one.
    private void Stream(CommandContext context, ServerCursor cursor)
    {
        context.Streaming = null;
        _reply.Clear();
        try
        {
            cursor = server.Cursors.Take(cursor.Id, _client.User);
            FindCommands.Continue(context, cursor, cursor.BatchSize ?? int.MaxValue, cursor.Awaits ? StreamedWait : TimeSpan.Zero);
            _reply.Append("ok", 1.0);
            if (server.Oplog.IsOn)
                _reply.Append("operationTime", server.Oplog.Newest);
        }
        catch (ServerException e)
        {
            context.Streaming = null;
            Dispatcher.Fail(_reply, e.Code, e.Message);
        }
    }
}
