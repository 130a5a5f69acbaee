using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Resolution;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb.Resolution;

public class SrvTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Hosts_and_options_come_from_dns(bool isTruncated)
    {
        using var server = new NameServer([("a.example.com", 27018), ("b.example.com", 27019)], ["authSource=users&repli", "caSet=rs0"]) { IsTruncated = isTruncated };
        var settings = Resolve(server, "mongodb+srv://u:p@cluster.example.com/db");
        Assert.Equal(["a.example.com:27018", "b.example.com:27019"], settings.Hosts.Select(host => host.ToString()).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(("users", "rs0", true), (settings.AuthSource, settings.ReplicaSet, settings.Tls));
        Assert.Equal(isTruncated ? 2 : 0, server.TcpQuestions);
        Assert.Equal("mine", Resolve(server, "mongodb+srv://u:p@cluster.example.com/?authSource=mine").AuthSource);
    }

    [Fact]
    public void Some_of_the_hosts_may_be_asked_for()
    {
        using var server = new NameServer([("a.example.com", 1), ("b.example.com", 2), ("c.example.com", 3)], []);
        Assert.Equal(2, Resolve(server, "mongodb+srv://cluster.example.com/?srvMaxHosts=2").Hosts.Distinct().Count());
    }

    [Theory]
    [InlineData("cluster.example.com", "a.example.org", "domain")]
    [InlineData("cluster.example.com", "a.evilexample.com", "domain")]
    [InlineData("cluster.example.com", "example.com", "domain")]
    [InlineData("example.com", "a.other.com", "domain")]
    [InlineData("example.com", "example.com", "domain")]
    public void A_host_of_another_domain_is_refused(string name, string host, string why)
    {
        using var server = new NameServer([(host, 27017)], []);
        Assert.Contains(why, Assert.Throws<MongoException>(() => Resolve(server, "mongodb+srv://" + name)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tls=false", MongoError.InvalidConnectionString)]
    [InlineData("loadBalanced=true", MongoError.InvalidConnectionString)]
    [InlineData("replicaSet", MongoError.InvalidConnectionString)]
    public void A_text_record_holds_nothing_else(string text, MongoError error)
    {
        using var server = new NameServer([("a.example.com", 27017)], [text]);
        Assert.Equal(error, Assert.Throws<MongoException>(() => Resolve(server, "mongodb+srv://cluster.example.com")).Error);
    }

    [Fact]
    public void No_records_and_no_server_are_told()
    {
        using var server = new NameServer([], []);
        Assert.Contains("no SRV records", Assert.Throws<MongoException>(() => Resolve(server, "mongodb+srv://cluster.example.com")).Message, StringComparison.Ordinal);
        server.Code = 2;
        Assert.Contains("code 2", Assert.Throws<MongoException>(() => Resolve(server, "mongodb+srv://cluster.example.com")).Message, StringComparison.Ordinal);
        server.IsSilent = true;
        Assert.Contains("in time", Assert.Throws<MongoException>(() => Resolve(server, "mongodb+srv://cluster.example.com")).Message, StringComparison.Ordinal);
        using var source = new CancellationTokenSource(50);
        Assert.ThrowsAny<OperationCanceledException>(() => new DnsClient([server.EndPoint]).Ask("x.example.com", DnsType.Txt, source.Token));
    }

    [Fact]
    public void Answers_at_random_never_crash() => Prop.ForAll<byte[], NonNegativeInt>((bytes, seed) =>
    {
        var question = DnsMessage.Question(0x1234, "a.example.com", DnsType.Srv);
        byte[] answer = [.. question, .. bytes];
        answer[2] = 0x81;
        answer[3] = 0x80;
        answer[7] = (byte)(seed.Get % 5);
        byte[] named = [.. question, 0xC0, (byte)(seed.Get % answer.Length), 0, 33, 0, 1, 0, 0, 0, 0, 0, (byte)bytes.Length, .. bytes];
        answer[..12].CopyTo(named, 0);
        foreach (var message in new[] { answer, named, bytes })
        {
            try
            {
                _ = DnsMessage.TryParse(message, question, DnsType.Srv);
            }
            catch (MongoException)
            {
            }
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void A_name_that_refers_to_itself_is_refused()
    {
        var question = DnsMessage.Question(1, "a.b", DnsType.Txt);
        byte[] answer = [.. question, 0xC0, (byte)question.Length, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0];
        answer[2] = 0x81;
        answer[7] = 1;
        Assert.Contains("itself", Assert.Throws<MongoException>(() => DnsMessage.TryParse(answer, question, DnsType.Txt)).Message, StringComparison.Ordinal);
    }

    private static MongoConnectionString Resolve(NameServer server, string text) =>
        new SrvResolver(new DnsClient([server.EndPoint]) { Timeout = TimeSpan.FromMilliseconds(server.IsSilent ? 100 : 5000) }).Resolve(MongoConnectionString.Parse(text), default);

    /// <summary>A name server on a loopback port, UDP and TCP.</summary>
    private sealed class NameServer : IDisposable
    {
        private readonly (string Host, int Port)[] _hosts;
        private readonly string[] _texts;
        private readonly Socket _udp;
        private readonly TcpListener _tcp;

        public NameServer((string Host, int Port)[] hosts, string[] texts)
        {
            _hosts = hosts;
            _texts = texts;
            (_udp, _tcp) = Listen();
            EndPoint = (IPEndPoint)_udp.LocalEndPoint!;
            new Thread(() => Loop(AnswerUdp)) { IsBackground = true }.Start();
            new Thread(() => Loop(AnswerTcp)) { IsBackground = true }.Start();
        }

        // One port for both: where somebody else has it for TCP, another one is taken.
        private static (Socket Udp, TcpListener Tcp) Listen()
        {
            while (true)
            {
                var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                var tcp = new TcpListener((IPEndPoint)udp.LocalEndPoint!);
                try
                {
                    tcp.Start();
                    return (udp, tcp);
                }
                catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
                {
                    tcp.Dispose();
                    udp.Dispose();
                }
            }
        }

        public IPEndPoint EndPoint { get; }

        public bool IsTruncated { get; init; }

        public bool IsSilent { get; set; }

        public int Code { get; set; }

        public int TcpQuestions { get; private set; }

        public void Dispose()
        {
            _udp.Dispose();
            _tcp.Dispose();
        }

        private static void Loop(Action work)
        {
            try
            {
                while (true)
                    work();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The test is over.
            }
        }

        private void AnswerUdp()
        {
            var buffer = new byte[600];
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            var length = _udp.ReceiveFrom(buffer, ref from);
            if (!IsSilent)
                _udp.SendTo(Answer(buffer[..length], IsTruncated), from);
        }

        private void AnswerTcp()
        {
            using var client = _tcp.AcceptTcpClient();
            var stream = client.GetStream();
            var head = new byte[2];
            stream.ReadExactly(head);
            var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
            stream.ReadExactly(question);
            TcpQuestions++;
            var answer = Answer(question, isTruncated: false);
            stream.Write([(byte)(answer.Length >> 8), (byte)answer.Length, .. answer]);
        }

        private byte[] Answer(byte[] question, bool isTruncated)
        {
            var isText = question[^3] == 16;
            var records = isTruncated ? [] : isText ? Texts() : _hosts.Select(Srv).ToList();
            var answer = new List<byte>(question);
            answer[2] = (byte)(isTruncated ? 0x83 : 0x81);
            answer[3] = (byte)(0x80 | Code);
            answer[7] = (byte)records.Count;
            foreach (var record in records)
                answer.AddRange([0xC0, 12, 0, question[^3], 0, 1, 0, 0, 0, 60, (byte)(record.Length >> 8), (byte)record.Length, .. record]);
            return [.. answer];
        }

        private List<byte[]> Texts() => _texts.Length == 0 ? [] : [_texts.SelectMany(text => new[] { (byte)text.Length }.Concat(Encoding.ASCII.GetBytes(text))).ToArray()];

        private static byte[] Srv((string Host, int Port) host)
        {
            var name = host.Host.Split('.').SelectMany(label => new[] { (byte)label.Length }.Concat(Encoding.ASCII.GetBytes(label)));
            return [0, 0, 0, 5, (byte)(host.Port >> 8), (byte)host.Port, .. name, 0];
        }
    }
}
