using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Tests.Notices;

/// <summary>Runs as journals record them.</summary>
internal static class Runs
{
    public static readonly DateTimeOffset Night = new(2025, 11, 18, 3, 0, 0, TimeSpan.Zero);

    public static BotBackupRun Of(DateTimeOffset started, params RunResult[] results) => new()
    {
        RunId = "0123456789abcdef",
        Command = "Invoke-BotBackup",
        Kind = RunKind.Backup,
        Host = "prod-1",
        Started = started,
        Ended = started.AddSeconds(30),
        Results = results,
        Failures = [.. results.Select(result => result.Failure).OfType<Failure>()],
    };

    public static RunResult Good(string name, BackupType type = BackupType.Full, string store = "local") =>
        new() { Component = Component.MongoDb, Name = name, Type = type, Store = store, Outcome = Outcome.Succeeded, Size = new ByteSize(1234) };

    public static RunResult Bad(string name, BackupType type = BackupType.Full, string store = "local", string message = "The store is full.") =>
        Good(name, type, store) with { Outcome = Outcome.Failed, Size = default, Failure = new Failure(FailureKind.StoreFull, message, "Make room.", store) };
}
