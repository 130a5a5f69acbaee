using System.Text.Json;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Notices;

/// <summary>Slack, and what speaks as its incoming webhooks do: the text as <c>{"text":...}</c>.</summary>
internal sealed class SlackChannel(NoticeAddress address, NoticeHttp http) : INoticeChannel
{
    // Slack cuts longer ones.
    private const int Longest = 3900;

    public string Name => "slack";

    public void Send(Notice notice, CancellationToken token) =>
        http.Post(address, "", JsonSerializer.Serialize(new { text = Escape(NoticeText.Cut($"{notice.Subject}\n{notice.Text}", Longest)) }), "application/json", token);

    // The three that Slack's own markup is made of; nobody is mentioned by what a server answered.
    internal static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}

/// <summary>Whoever takes JSON.</summary>
internal sealed class WebhookChannel(NoticeAddress address, NoticeHttp http) : INoticeChannel
{
    public string Name => "webhook";

    public void Send(Notice notice, CancellationToken token) => http.Post(address, "", notice.Json, "application/json", token);
}

/// <summary>A watchman who rings when nobody rings him, as healthchecks.io: the URL itself says good, <c>/start</c>, <c>/fail</c> and <c>/log</c> behind it the rest.</summary>
internal sealed class PingChannel(NoticeAddress address, NoticeHttp http)
{
    public const string Name = "ping";
    public const string Start = "/start";
    public const string Good = "";
    public const string Fail = "/fail";
    public const string Log = "/log";

    private const int Longest = 10_000;

    public void Send(string suffix, string text, CancellationToken token)
    {
        var answer = http.Post(address, suffix, NoticeText.Cut(text, Longest), "text/plain", token);
        // It says "200 OK" also where it knows no such check, or takes no more pings, and then in brackets what it means.
        if (answer.StartsWith("OK (", StringComparison.Ordinal))
        {
            throw new BackupException(
                FailureKind.NoticeFailed,
                $"{address.Host} did not take the ping: {(answer.Contains("rate", StringComparison.OrdinalIgnoreCase) ? "it had too many of them" : "it knows no such check")}.",
                $"See whether {address.Key} is the ping URL of a check that is there.",
                address.Host);
        }
    }
}
