using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Outside.Adapters;

namespace BotCore.Backup.Engine.Notices;

/// <summary>What notices stand on, for tests to change. Immutable.</summary>
internal sealed record NoticeSeams
{
    /// <summary>How long one channel may take for one notice.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The program that takes letters where no server is named.</summary>
    public string Sendmail { get; init; } = "/usr/sbin/sendmail";

    /// <summary>What talks to a mail server.</summary>
    public Func<IMailCarrier> Mail { get; init; } = AdapterLoader.Mail;

    /// <summary>An authority that mail servers' certificates may be of, beside the system's.</summary>
    public X509Certificate2? TrustedOfMail { get; init; }
}

/// <summary>
/// Tells people of runs, through every channel that is configured, all at once and each within its time limit. What could not be sent is given back, and nothing is ever thrown: a notice that fails is no lost backup. One
/// thread at a time.
/// </summary>
internal sealed class NoticeSender : INoticeTeller
{
    /// <summary>The word that stands in place of a channel where the template cannot be used.</summary>
    public const string Template = "template";

    private readonly BotBackupConfiguration _settings;
    private readonly NoticeMemory _memory;
    private readonly SecretMask _mask;
    private readonly IReadOnlyList<INoticeChannel> _channels;
    private readonly PingChannel? _ping;
    private Task<RunTelling>? _begun;

    private NoticeSender(BotBackupConfiguration settings, IReadOnlyList<INoticeChannel> channels, PingChannel? ping)
    {
        _settings = settings;
        _channels = channels;
        _ping = ping;
        _mask = new SecretMask(settings);
        _memory = new NoticeMemory(settings.LogsAreKept ? settings.LogDirectory : null);
    }

    /// <summary>The channels of messages that are configured.</summary>
    public IReadOnlyList<string> Channels => [.. _channels.Select(channel => channel.Name)];

    /// <summary>Null where no channel is configured, or all are kept silent.</summary>
    public static NoticeSender? From(BotBackupConfiguration settings, TimeProvider clock, NoticeSeams? seams = null)
    {
        if (!settings.NotificationsEnabled)
            return null;
        seams ??= new NoticeSeams();
        var http = new NoticeHttp(clock, seams.TimeLimit);
        var channels = new List<INoticeChannel>();
        if (settings.SlackWebhook is { } slack)
            channels.Add(new SlackChannel(new NoticeAddress(ConfigurationKeys.SlackWebhook, slack), http));
        if (settings.EmailRecipients.Count > 0)
            channels.Add(new EmailChannel(settings, seams.Sendmail, seams.Mail, seams.TimeLimit, seams.TrustedOfMail));
        if (settings.Webhook is { } webhook)
            channels.Add(new WebhookChannel(new NoticeAddress(ConfigurationKeys.Webhook, webhook), http));
        var ping = settings.HealthcheckUrl is { } url ? new PingChannel(new NoticeAddress(ConfigurationKeys.HealthcheckUrl, url), http) : null;
        return channels.Count > 0 || ping is not null ? new NoticeSender(settings, channels, ping) : null;
    }

    /// <inheritdoc/>
    public void Begin(string runId, RunKind kind)
    {
        // The run does not wait for it.
        _begun = kind == RunKind.Backup && _ping is { } ping
            ? Task.Run(() => Try(PingChannel.Name, () => ping.Send(PingChannel.Start, $"Run {runId} begins on {Environment.MachineName}.", CancellationToken.None)))
            : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<RunTelling> Tell(BotBackupRun run, CancellationToken token)
    {
        var work = new List<Task<IReadOnlyList<RunTelling>>>();
        if (run.Kind == RunKind.Backup && _ping is { } ping)
            work.Add(Task.Run(() => Ping(ping, run, token), CancellationToken.None));
        var known = _memory.Read();
        var decision = NoticeLimiter.Judge(known, run, _settings.NoticeRepeat, _settings.NoticesAlways);
        var template = decision.Reason == NoticeReason.None || _channels.Count == 0 ? null : ReadTemplate();
        var told = new List<RunTelling>();
        if (decision.Reason != NoticeReason.None)
        {
            told.AddRange(Send(NoticeText.Of(run, decision, _settings, template?.Template), _channels, token));
            if (template is { Telling: { } telling })
                told.Add(telling);
        }

        if (_channels.Count > 0)
            _memory.Change(now => NoticeLimiter.After(now, run, decision, told.Exists(one => one.Failure is null && one.Channel is not Template)));
        Task.WaitAll([.. work], CancellationToken.None);
        return [.. work.SelectMany(task => task.Result), .. told];
    }

    /// <summary>Sends one notice through those of <paramref name="names"/> that are configured; through all where none is named.</summary>
    public IReadOnlyList<RunTelling> Send(Notice notice, IReadOnlyList<string> names, CancellationToken token) =>
        Send(notice, [.. _channels.Where(channel => names.Count == 0 || names.Contains(channel.Name, StringComparer.OrdinalIgnoreCase))], token);

    /// <summary>Sends a ping that changes nothing; null where none is configured.</summary>
    public RunTelling? Log(string text, CancellationToken token) => _ping is { } ping ? Try(PingChannel.Name, () => ping.Send(PingChannel.Log, text, token)) : null;

    private IReadOnlyList<RunTelling> Send(Notice notice, IReadOnlyList<INoticeChannel> channels, CancellationToken token)
    {
        // No text is meant to hold a secret.
        var clean = new Notice(_mask.Of(notice.Subject), _mask.Of(notice.Text), _mask.Of(notice.Json));
        var sending = channels.Select(channel => Task.Run(() => Try(channel.Name, () => channel.Send(clean, token)), CancellationToken.None)).ToArray();
        Task.WaitAll(sending, CancellationToken.None);
        return [.. sending.Select(task => task.Result)];
    }

    private IReadOnlyList<RunTelling> Ping(PingChannel ping, BotBackupRun run, CancellationToken token)
    {
        // In this order, or the watchman takes a run that ended for one that goes on.
        var begun = Begun(token);
        var ended = Try(PingChannel.Name, () => ping.Send(run.IsGood ? PingChannel.Good : PingChannel.Fail, _mask.Of(NoticeText.Short(run)), token));
        return begun is { Failure: not null } ? [begun, ended] : [ended];
    }

    // Null where there was none, or where a run that was stopped does not wait for it.
    private RunTelling? Begun(CancellationToken token)
    {
        var begun = _begun;
        _begun = null;
        try
        {
            begun?.Wait(token);
            return begun?.Result;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private (NoticeTemplate? Template, RunTelling? Telling)? ReadTemplate()
    {
        if (_settings.NoticeTemplate is not { } path)
            return null;
        NoticeTemplate? template = null;
        var telling = Try(Template, () =>
        {
            var read = NoticeTemplate.Read(path);
            if (read.Unknown is { Count: > 0 } unknown)
            {
                throw new BackupException(
                    FailureKind.ConfigurationInvalid,
                    $"The template of notices {path} has placeholders that nothing stands for: {string.Join(", ", unknown)}. The notice was sent with its plain text.",
                    $"Use only these: {NoticeTemplate.Known}.",
                    path);
            }

            template = read;
        });
        return (template, telling);
    }

    private RunTelling Try(string channel, Action send)
    {
        try
        {
            send();
            return new RunTelling(channel, null);
        }
        catch (BackupException wrong)
        {
            return Failed(wrong.Failure);
        }
        catch (OperationCanceledException)
        {
            return Failed(new Failure(FailureKind.NoticeFailed, $"The notice by {channel} was given up, since the run was stopped.", "Look at the log for what became of the run."));
        }
        catch (Exception unforeseen)
        {
            // Whatever it is, it is no reason to lose a backup.
            return Failed(new Failure(FailureKind.NoticeFailed, $"The notice by {channel} could not be sent: {unforeseen.GetType().Name}.", $"Try it with Send-BotBackupNotice -Test.", channel, unforeseen));
        }

        RunTelling Failed(Failure failure) => new(channel, failure with { Message = _mask.Of(failure.Message), Advice = _mask.Of(failure.Advice) });
    }
}
