using System.Text;
using System.Text.Json;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Tests.Configuration;
using BotCore.Backup.Engine.Tests.Stores;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Notices;

/// <summary>Notices over HTTP, to a server that answers as it likes.</summary>
public sealed class WebChannelTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly LeapingClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Slack_gets_a_text_whose_first_line_says_it_all_and_mentions_nobody()
    {
        using var server = new NoticeServer();
        var told = Tell("SLACK_WEBHOOK=" + server.Url("/services/geheim"), Runs.Of(Runs.Night, Runs.Good("a"), Runs.Bad("b", message: "<!channel> a & b > c")));

        Assert.Equal([new RunTelling("slack", null)], told);
        var posted = Assert.Single(server.Posted);
        Assert.Equal("POST /services/geheim HTTP/1.1", posted.Target);
        Assert.Equal("application/json; charset=utf-8", posted.Headers["Content-Type"]);
        using var json = JsonDocument.Parse(posted.Body);
        Assert.Equal("text", Assert.Single(json.RootElement.EnumerateObject()).Name);
        var text = json.RootElement.GetProperty("text").GetString()!;
        Assert.StartsWith("FAILED prod-1 Invoke-BotBackup: MongoDb b in local\n", text, StringComparison.Ordinal);
        Assert.Contains("- StoreFull: &lt;!channel&gt; a &amp; b &gt; c Make room.", text, StringComparison.Ordinal);
        Assert.Contains("Run: 0123456789abcdef", text, StringComparison.Ordinal);
        Assert.Contains($"Log: {_folder.Path}/logs/mongodb-backup-20251118.log", text, StringComparison.Ordinal);
        Assert.DoesNotContain("MongoDb a", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_webhook_gets_the_run_as_json()
    {
        using var server = new NoticeServer("204 No Content#");
        var told = Tell($"NOTICE_ON=always\nWEBHOOK_URL='{server.Url("/hook?token=geheim&x=%2F").Replace("://", "://me:geheim@", StringComparison.Ordinal)}'", Runs.Of(Runs.Night, Runs.Good("a")));

        Assert.Equal([new RunTelling("webhook", null)], told);
        var posted = Assert.Single(server.Posted);
        Assert.Equal("POST /hook?token=geheim&x=%2F HTTP/1.1", posted.Target);
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("me:geheim")), posted.Headers["Authorization"]);
        using var json = JsonDocument.Parse(posted.Body);
        var root = json.RootElement;
        Assert.Equal("0123456789abcdef", root.GetProperty("run").GetString());
        Assert.Equal("Succeeded", root.GetProperty("outcome").GetString());
        Assert.Equal("prod-1", root.GetProperty("host").GetString());
        Assert.Equal("MongoDb", root.GetProperty("results")[0].GetProperty("component").GetString());
        Assert.Equal(1234, root.GetProperty("results")[0].GetProperty("size").GetInt64());
        Assert.Equal("Always", root.GetProperty("notice").GetProperty("reason").GetString());
        Assert.Equal("GOOD prod-1 Invoke-BotBackup: 1 of 1 good", root.GetProperty("notice").GetProperty("subject").GetString());
        Assert.False(root.TryGetProperty("notices", out _));
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "/fail")]
    public void A_watchman_hears_of_the_beginning_and_of_the_end(bool isGood, string suffix)
    {
        using var server = new NoticeServer("200 OK#OK", "200 OK#OK");
        var sender = Sender($"HEALTHCHECK_URL='{server.Url("/ping/geheim/?create=1")}'");
        sender.Begin("0123456789abcdef", RunKind.Backup);
        var told = sender.Tell(Runs.Of(Runs.Night, isGood ? Runs.Good("a") : Runs.Bad("a")), CancellationToken.None);

        Assert.Equal([new RunTelling("ping", null)], told);
        Assert.Equal(["POST /ping/geheim/start?create=1 HTTP/1.1", isGood ? "POST /ping/geheim/?create=1 HTTP/1.1" : $"POST /ping/geheim{suffix}?create=1 HTTP/1.1"], server.Posted.Select(one => one.Target), StringComparer.Ordinal);
        Assert.Contains("Run 0123456789abcdef", server.Posted[1].Body, StringComparison.Ordinal);
        Assert.StartsWith(isGood ? "GOOD prod-1\n" : "FAILED prod-1\n", server.Posted[1].Body, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_backup_is_pinged_and_no_other_run()
    {
        using var server = new NoticeServer();
        var sender = Sender("HEALTHCHECK_URL=" + server.Url("/geheim"));
        for (var run = 0; run < 3; run++)
            Assert.Single(sender.Tell(Runs.Of(Runs.Night, Runs.Bad("a")), CancellationToken.None));
        sender.Begin("0123456789abcdef", RunKind.Verification);
        Assert.Empty(sender.Tell(Runs.Of(Runs.Night, Runs.Bad("a")) with { Kind = RunKind.Verification }, CancellationToken.None));

        Assert.Equal(3, server.Posted.Count);
    }

    [Theory]
    [InlineData("OK (not found)", "no such check")]
    [InlineData("OK (rate limited)", "too many")]
    public void A_watchman_who_says_ok_and_means_no_is_not_believed(string answer, string why)
    {
        using var server = new NoticeServer("200 OK#" + answer);
        var failure = Assert.Single(Tell("HEALTHCHECK_URL=" + server.Url("/geheim"), Runs.Of(Runs.Night, Runs.Good("a")))).Failure!;

        Assert.Equal(FailureKind.NoticeFailed, failure.Kind);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "500 Sorry", "200 OK")]
    [InlineData(2, "503 Later|Retry-After: 4", "429 Slowly|Retry-After: 1", "200 OK")]
    [InlineData(2, "cut", "502 Bad", "200 OK")]
    public void What_cannot_be_taken_now_is_tried_again(int again, params string[] answers)
    {
        using var server = new NoticeServer(answers);

        Assert.Null(Assert.Single(Tell("SLACK_WEBHOOK=" + server.Url("/geheim"), Runs.Of(Runs.Night, Runs.Bad("a")))).Failure);
        Assert.Equal(again + 1, server.Posted.Count);
    }

    [Fact]
    public void As_long_a_pause_is_made_as_was_asked_for()
    {
        using var server = new NoticeServer("429 Slowly|Retry-After: 3", "503 Later|Retry-After: 2");
        var before = _clock.GetTimestamp();
        Tell("SLACK_WEBHOOK=" + server.Url("/geheim"), Runs.Of(Runs.Night, Runs.Bad("a")));

        Assert.Equal(TimeSpan.FromSeconds(5), _clock.GetElapsedTime(before));
    }

    [Theory]
    [InlineData(3, "answered 500", "500 A", "500 B", "500 C")]
    [InlineData(1, "answered 404", "404 No")]
    [InlineData(1, "answered 400", "400 No")]
    [InlineData(1, "answered 429", "429 Slowly|Retry-After: 3600")]
    [InlineData(1, "answered 302", "302 Elsewhere|Location: http://127.0.0.1:1/geheim")]
    public void What_is_refused_is_told(int tries, string why, params string[] answers)
    {
        using var server = new NoticeServer(answers);
        var failure = Assert.Single(Tell("SLACK_WEBHOOK=" + server.Url("/services/geheim"), Runs.Of(Runs.Night, Runs.Bad("a")))).Failure!;

        Assert.Equal(FailureKind.NoticeFailed, failure.Kind);
        Assert.Contains($"127.0.0.1:{server.Port}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.Equal(tries, server.Posted.Count);
    }

    [Fact]
    public void Who_never_answers_is_not_waited_for()
    {
        using var server = new NoticeServer("never", "never");
        var limit = new NoticeSeams { TimeLimit = TimeSpan.FromMilliseconds(100) };
        var told = Tell($"SLACK_WEBHOOK={server.Url("/geheim")}\nWEBHOOK_URL={server.Url("/geheim2")}", Runs.Of(Runs.Night, Runs.Bad("a")), limit);

        Assert.Equal(["slack", "webhook"], told.Select(one => one.Channel), StringComparer.Ordinal);
        Assert.All(told, one => Assert.Contains("did not answer within 0.1 seconds", one.Failure!.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_run_that_is_stopped_is_not_held_up()
    {
        using var server = new NoticeServer("never", "never", "never");
        using var stop = new CancellationTokenSource(50);
        var sender = Sender($"SLACK_WEBHOOK={server.Url("/geheim")}\nHEALTHCHECK_URL={server.Url("/geheim")}");
        sender.Begin("0123456789abcdef", RunKind.Backup);
        var told = sender.Tell(Runs.Of(Runs.Night, Runs.Bad("a")) with { Interrupted = true }, stop.Token);

        Assert.Equal(["ping", "slack"], told.Select(one => one.Channel), StringComparer.Ordinal);
        Assert.All(told, one => Assert.Equal(FailureKind.NoticeFailed, one.Failure!.Kind));
    }

    [Fact]
    public void One_channel_that_fails_keeps_no_other_from_telling()
    {
        using var server = new NoticeServer();
        var told = Tell($"SLACK_WEBHOOK=http://127.0.0.1:1/geheim\nWEBHOOK_URL={server.Url("/hook")}", Runs.Of(Runs.Night, Runs.Bad("a")));

        Assert.Equal(FailureKind.NoticeFailed, told[0].Failure!.Kind);
        Assert.Equal(new RunTelling("webhook", null), told[1]);
    }

    [Fact]
    public void Nothing_is_sent_where_all_are_silent_or_nobody_is_named()
    {
        Assert.Null(NoticeSender.From(_folder.Load("ENABLE_NOTIFICATIONS=false\nSLACK_WEBHOOK=http://127.0.0.1:1/x"), _clock));
        Assert.Null(NoticeSender.From(_folder.Load(""), _clock));
    }

    [Fact]
    public void No_secret_is_in_any_failure_whatever_the_server_does()
    {
        var secrets = from path in Gen.Elements("abcdefgh", "T0/B0/geheim", "a%20b%2Fgeheim", "geheim;x=1") from query in Gen.Elements("", "?key=geheim", "?geheim&geheim=geheim") select path + query;
        var answers = Gen.Elements("500 geheim", "404 geheim", "302 geheim|Location: http://geheim.test/geheim", "cut", "200 OK#OK (geheim)", "999 geheim", "never", "garbage geheim", "429 geheim|Retry-After: geheim");
        Prop.ForAll(secrets.Zip(answers).ToArbitrary(), pair =>
        {
            using var server = new NoticeServer(pair.Item2, pair.Item2, pair.Item2, pair.Item2, pair.Item2, pair.Item2, pair.Item2, pair.Item2, pair.Item2);
            var text = $"SLACK_WEBHOOK='{server.Url("/" + pair.Item1)}'\nWEBHOOK_URL='{server.Url("/" + pair.Item1).Replace("://", "://u:geheim@", StringComparison.Ordinal)}'\nHEALTHCHECK_URL='{server.Url("/" + pair.Item1)}'";
            Directory.CreateDirectory(Path.Combine(_folder.Path, "logs"));
            File.Delete(Path.Combine(_folder.Path, "logs", NoticeMemory.FileName));
            var told = Tell(text, Runs.Of(Runs.Night, Runs.Bad("a")), new NoticeSeams { TimeLimit = TimeSpan.FromMilliseconds(40) });
            var path = pair.Item1.Split('?')[0];
            return told.Count == 3 && told.Select(one => $"{one.Failure} {one.Failure?.Target} {one.Failure?.Cause}").All(one => !one.Contains("geheim", StringComparison.Ordinal) && !one.Contains(path, StringComparison.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    private NoticeSender Sender(string text, NoticeSeams? seams = null) => NoticeSender.From(_folder.Load("LOG_DIR=logs\n" + text), _clock, seams)!;

    private IReadOnlyList<RunTelling> Tell(string text, BotBackupRun run, NoticeSeams? seams = null) => Sender(text, seams).Tell(run, CancellationToken.None);
}
