using System.Net;
using System.Net.Sockets;
using System.Text;
using BotCore.Backup.Protocols.DockerEngine;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.DockerEngine;

/// <summary>What an engine may answer that real ones rarely do.</summary>
public sealed class EngineClientTests : IDisposable
{
    private const string Version141 = """{"ApiVersion":"1.41","MinAPIVersion":"1.12","Components":[{"Name":"Engine"}]}""";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<string> _asked = [];
    private Func<string, (int Status, string Body)> _answer = _ => (404, "");
    private bool _isCutOff;

    public EngineClientTests()
    {
        _listener.Start();
        _ = ServeAsync();
    }

    [Theory]
    [InlineData("1.41", "1.12", "v1.41")]
    [InlineData("1.99", "1.44", "v1.52")]
    [InlineData("1.30", "", "v1.30")]
    public void The_newest_version_that_both_know_is_spoken(string newest, string oldest, string spoken)
    {
        Answer($$"""{"ApiVersion":"{{newest}}","MinAPIVersion":"{{oldest}}"}""", _ => (200, """{"Volumes":null}"""));
        using var client = Client();

        Assert.Empty(client.Volumes(default));

        Assert.Equal(["/version", $"/{spoken}/info", $"/{spoken}/volumes"], _asked, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("""{"ApiVersion":"1.12"}""", DockerEngineError.VersionUnsupported)]
    [InlineData("""{"ApiVersion":"2.10","MinAPIVersion":"2.0"}""", DockerEngineError.VersionUnsupported)]
    [InlineData("""{"hello":"world"}""", DockerEngineError.Protocol)]
    [InlineData("<html>", DockerEngineError.Protocol)]
    public void What_cannot_be_spoken_to_is_said(string version, DockerEngineError error)
    {
        Answer(version, _ => (200, "{}"));
        using var client = Client();

        Assert.Equal(error, Fails(() => client.Volumes(default)));
    }

    [Theory]
    [InlineData(404, """{"message":"no such container"}""", DockerEngineError.NotFound)]
    [InlineData(409, """{"message":"Container abc is not running"}""", DockerEngineError.NotRunning)]
    [InlineData(500, """{"cause":"container state improper","message":"\"created\" is not running, can't pause","response":500}""", DockerEngineError.NotRunning)]
    [InlineData(409, """{"message":"volume is in use"}""", DockerEngineError.Conflict)]
    [InlineData(500, "plain text", DockerEngineError.Refused)]
    [InlineData(403, "", DockerEngineError.AccessDenied)]
    [InlineData(400, """{"message":"client version 1.52 is too new. Maximum supported API version is 1.41"}""", DockerEngineError.VersionUnsupported)]
    public void A_refusal_has_its_kind(int status, string body, DockerEngineError error)
    {
        Answer(Version141, _ => (status, body));
        using var client = Client();

        Assert.Equal(error, Fails(() => client.Pause("abc", default)));
    }

    [Fact]
    public void An_import_that_fails_after_its_200_has_failed()
    {
        Answer(Version141, _ => (200, """{"status":"Importing"}{"errorDetail":{"message":"no space"},"error":"no space"}"""));
        using var client = Client();

        Assert.Equal(DockerEngineError.Refused, Fails(() => client.ImportImage("localhost/x", new byte[512], default)));
    }

    [Fact]
    public void What_is_not_there_is_null_and_removing_it_is_done()
    {
        Answer(Version141, _ => (404, """{"message":"no such"}"""));
        using var client = Client();

        Assert.Null(client.FindVolume("none", default));
        client.RemoveContainer("none", default);
    }

    [Fact]
    public void An_answer_that_is_cut_off_is_no_answer()
    {
        Answer(Version141, _ => (200, """{"Volumes":[]}"""));
        using var client = Client();
        _ = client.Facts;
        _isCutOff = true;

        Assert.Equal(DockerEngineError.Unreachable, Fails(() => client.Volumes(default)));
    }

    [Fact]
    public void What_the_writer_of_an_archive_throws_comes_through()
    {
        Answer(Version141, _ => (200, ""));
        using var client = Client();

        Assert.Throws<InvalidDataException>(() => client.PutArchive("abc", "/", _ => throw new InvalidDataException("mine"), default));
    }

    [Fact]
    public void Nobody_there_is_no_engine_and_a_cancelled_call_is_cancelled()
    {
        using var nobody = new DockerEngineClient(new DockerEngineOptions(new Uri("unix:///absent/docker.sock")));
        Assert.Equal(DockerEngineError.NoEngine, Fails(() => nobody.Volumes(default)));

        Answer(Version141, _ => (200, "{}"));
        using var client = Client();
        _ = client.Facts;
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => client.Volumes(stop.Token));
    }

    [Fact]
    public void Silence_is_not_waited_for()
    {
        // It listens and never answers.
        var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var client = new DockerEngineClient(new DockerEngineOptions(new Uri($"tcp://{silent.LocalEndpoint}")) { Timeout = TimeSpan.FromMilliseconds(200) });

        Assert.Equal(DockerEngineError.Unreachable, Fails(() => client.Volumes(default)));
        silent.Stop();
    }

    [Theory]
    [InlineData(0x80000000u | 0x1F8u, 0x1F8)]
    [InlineData((1u << 23) | (1u << 20) | 0x1EDu, 0xA00 | 0x1ED)]
    [InlineData((1u << 22) | 0x1u, 0x401)]
    public void Modes_of_Go_are_read_as_those_of_Posix(uint mode, int posix) => Assert.Equal(posix, new EnginePathStat(mode, default).PosixMode);

    public void Dispose() => _listener.Stop();

    private static DockerEngineError Fails(Action act) => Assert.Throws<DockerEngineException>(act).Error;

    private DockerEngineClient Client() => new(new DockerEngineOptions(new Uri($"tcp://{_listener.LocalEndpoint}")));

    private void Answer(string version, Func<string, (int Status, string Body)> other) =>
        _answer = path => path is "/version" ? (200, version) : path.EndsWith("/info", StringComparison.Ordinal) ? (200, """{"Name":"host"}""") : other(path);

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is done.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var one = client;
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        try
        {
            if (await reader.ReadLineAsync() is not { } first)
                return;
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            var path = first.Split(' ')[1];
            lock (_asked)
                _asked.Add(path);
            var (status, body) = _answer(path);
            var length = Encoding.UTF8.GetByteCount(body) + (_isCutOff ? 10 : 0);
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"));
            await stream.FlushAsync();
        }
        catch (IOException)
        {
            // The client went away.
        }
    }
}
