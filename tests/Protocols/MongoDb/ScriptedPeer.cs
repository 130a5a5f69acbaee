using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

/// <summary>A server on a loopback port that answers hello and buildInfo, and anything else as the test says.</summary>
internal sealed class ScriptedPeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Session> _sessions = [];
    private readonly Action<Session, OpMsg, string> _script;

    public ScriptedPeer(Action<Session, OpMsg, string> script)
    {
        _script = script;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Hello = hello => hello.Append("setName", "rs").Append("isWritablePrimary", true).BeginArray("hosts").Append("0", Address).End();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public string Uri => $"mongodb://{Address}/?directConnection=true&serverSelectionTimeoutMS=3000";

    /// <summary>What hello says beside the limits.</summary>
    public Action<BsonBuilder> Hello { get; set; }

    public int MaxWireVersion { get; set; } = 21;

    public X509Certificate2? Certificate { get; set; }

    public bool WantsClientCertificate { get; set; }

    /// <summary>The names of all commands in their order.</summary>
    public ConcurrentQueue<string> Commands { get; } = new();

    /// <summary>What last ended a connection from this side.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>How many connections were made.</summary>
    public int Connections => _sessions.Count;

    public static BsonBuilder Ok() => new BsonBuilder().Append("ok", 1.0);

    public static BsonBuilder Error(int code, string text) => new BsonBuilder().Append("ok", 0.0).Append("errmsg", text).Append("code", code).Append("codeName", "Name" + code);

    /// <summary>A cursor's answer with documents {n: first}, {n: first + 1} and so on.</summary>
    public static BsonBuilder Batch(string name, long id, int first, int count)
    {
        var reply = new BsonBuilder().BeginDocument("cursor").BeginArray(name);
        for (var index = 0; index < count; index++)
            reply.BeginDocument(index.ToString(System.Globalization.CultureInfo.InvariantCulture)).Append("n", first + index).End();
        return reply.End().Append("id", id).Append("ns", "db.c").End().Append("operationTime", new BsonTimestamp(7, 1)).Append("ok", 1.0);
    }

    public void Dispose()
    {
        _listener.Stop();
        foreach (var session in _sessions)
            session.Close();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var session = new Session(_listener.AcceptSocket());
                _sessions.Add(session);
                new Thread(() => Serve(session)) { IsBackground = true }.Start();
            }
        }
        catch (Exception exception) when (exception is SocketException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private void Serve(Session session)
    {
        try
        {
            session.Begin(Certificate, WantsClientCertificate);
            while (session.Reader.TryRead(out var message))
            {
                var name = FirstName(message.Body);
                Commands.Enqueue(name);
                switch (name)
                {
                    case "hello":
                        var hello = new BsonBuilder().Append("maxWireVersion", MaxWireVersion).Append("maxBsonObjectSize", 16 << 20);
                        Hello(hello);
                        session.Reply(message, hello.BeginArray("compression").Append("0", "zlib").End().Append("ok", 1.0));
                        break;
                    case "buildInfo":
                        session.Reply(message, new BsonBuilder().Append("version", "7.0.1").Append("ok", 1.0));
                        break;
                    default:
                        _script(session, message, name);
                        break;
                }
            }
        }
        catch (Exception exception)
        {
            // The client went away, the test closed the connection, or the script's own assertion failed: closing fails the test then.
            Failure = exception;
        }
        finally
        {
            session.Close();
        }
    }

    private static string FirstName(RawBson body)
    {
        var reader = body.Read();
        return reader.Read() ? reader.Current.NameText : "";
    }

    internal sealed class Session(Socket socket)
    {
        private int _id = 1000;

        public Stream Stream { get; private set; } = new NetworkStream(socket, ownsSocket: true);

        public WireReader Reader { get; private set; } = null!;

        public WireWriter Writer { get; private set; } = null!;

        public void Begin(X509Certificate2? certificate, bool wantsClient)
        {
            if (certificate is not null)
            {
                var tls = new SslStream(Stream, false, (_, client, _, _) => client is not null || !wantsClient);
                tls.AuthenticateAsServer(certificate, wantsClient, checkCertificateRevocation: false);
                Stream = tls;
            }

            Reader = new WireReader(Stream);
            Writer = new WireWriter(Stream);
        }

        /// <summary>Answers, and gives the answer's number.</summary>
        public int Reply(OpMsg to, BsonBuilder document, OpMsgFlags flags = OpMsgFlags.None, WireCompressor compressor = WireCompressor.None) => Reply(to.RequestId, document, flags, compressor);

        public int Reply(int to, BsonBuilder document, OpMsgFlags flags = OpMsgFlags.None, WireCompressor compressor = WireCompressor.None)
        {
            Writer.Write(++_id, to, flags, document.Finish().Span, compressor);
            return _id;
        }

        public void Close() => socket.Dispose();
    }
}
