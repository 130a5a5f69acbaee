using System.Text.Json;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Notices;

/// <summary>What became of one notice through one channel. Immutable.</summary>
/// <param name="Channel">The channel's word: <c>slack</c>, <c>email</c>, <c>webhook</c>, <c>ping</c>.</param>
/// <param name="Outcome">Succeeded where the other side took it.</param>
/// <param name="Subject">Its first line.</param>
/// <param name="Failure">Why it was not taken; null where it was.</param>
public sealed record BotBackupNotice(string Channel, Outcome Outcome, string Subject, Failure? Failure);

/// <summary>What somebody wants to be sent. Immutable.</summary>
/// <param name="Subject">Its first line; null takes the usual one.</param>
/// <param name="Message">Its text.</param>
/// <param name="Channels">Through which channels; all that are configured where none is named.</param>
/// <param name="IsTest">Whether somebody looks whether notices arrive; then the watchman is asked as well.</param>
public sealed record NoticeRequest(string? Subject, string Message, IReadOnlyList<string> Channels, bool IsTest);

/// <summary>One notice to be sent.</summary>
public sealed record NoticeStep : Step
{
    internal NoticeStep(NoticeRequest request, NoticeSender sender, IReadOnlyList<string> channels)
        : base(string.Join(", ", channels), request.IsTest ? "Send a test notice" : "Send a notice") => (Request, Sender) = (request, sender);

    internal NoticeRequest Request { get; }

    internal NoticeSender Sender { get; }
}

/// <summary>Plans and sends notices that somebody writes. Each channel becomes a <see cref="Made"/> with its <see cref="BotBackupNotice"/>; one that fails a <see cref="Failed"/>, too.</summary>
public static class NoticeRunner
{
    /// <summary>The step for <paramref name="request"/>. Throws ConfigurationMissing where a channel is not configured, ConfigurationInvalid where all are kept silent.</summary>
    public static NoticeStep Plan(BackupSession session, NoticeRequest request)
    {
        var settings = session.Configuration;
        if (!settings.NotificationsEnabled)
            throw new BackupException(FailureKind.ConfigurationInvalid, "ENABLE_NOTIFICATIONS is false, so nothing is sent.", "Set ENABLE_NOTIFICATIONS=true.", ConfigurationKeys.EnableNotifications);
        var sender = NoticeSender.From(settings, session.Clock);
        string[] channels = [.. sender?.Channels ?? [], .. request.IsTest && settings.HealthcheckUrl is not null ? [PingChannel.Name] : Array.Empty<string>()];
        if (sender is null || channels.Length == 0 || request.Channels.FirstOrDefault(name => !channels.Contains(name, StringComparer.OrdinalIgnoreCase)) is not null)
        {
            var missing = request.Channels.Where(name => !channels.Contains(name, StringComparer.OrdinalIgnoreCase)).ToList();
            throw new BackupException(
                FailureKind.ConfigurationMissing,
                missing.Count > 0 ? $"The channel {string.Join(", ", missing)} is not configured." : "No channel is configured that a notice could be sent through.",
                "Set SLACK_WEBHOOK, EMAIL_RECIPIENT or WEBHOOK_URL.",
                settings.EnvFile);
        }

        return new NoticeStep(request, sender, request.Channels.Count > 0 ? request.Channels : channels);
    }

    /// <summary>Sends it.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, NoticeStep step, CancellationToken token) =>
        EventRun.Start("notice", (tell, stop) =>
        {
            var request = step.Request;
            var host = Environment.MachineName;
            var subject = NoticeText.OneLine(request.Subject ?? (request.IsTest ? $"TEST {host}: notices of BotCore.Backup arrive" : $"BotCore.Backup on {host}"));
            var text = request.Message.ReplaceLineEndings("\n").TrimEnd() + "\n";
            var reason = request.IsTest ? NoticeReason.Test : NoticeReason.Message;
            var json = JsonSerializer.Serialize(
                new { Time = session.Clock.GetUtcNow().UtcDateTime, Level = LogLine.Word(LogLevel.Info), Command = "Send-BotBackupNotice", Message = subject, Host = host, Notice = new { Reason = reason, Subject = subject, Text = text } },
                RunJson.Options);
            var tellings = step.Sender.Send(new Notice(subject, text, json), request.Channels, stop);
            if (request.IsTest && request.Channels.Count == 0 && step.Sender.Log(subject, stop) is { } ping)
                tellings = [.. tellings, ping];
            stop.ThrowIfCancellationRequested();
            foreach (var telling in tellings)
            {
                tell(new Made(new BotBackupNotice(telling.Channel, telling.Failure is null ? Outcome.Succeeded : Outcome.Failed, subject, telling.Failure)));
                // The others go on, whatever its kind.
                if (telling.Failure is { } failure)
                    tell(new Failed(failure) { IsOfOneStore = true });
            }
        }, token);
}
