namespace BotCore.Backup.Engine.Notices;

/// <summary>Why somebody is told.</summary>
internal enum NoticeReason
{
    /// <summary>Nobody is.</summary>
    None = 0,

    /// <summary>Something fails that did not.</summary>
    Failure,

    /// <summary>It still does.</summary>
    Repeat,

    /// <summary>It is good again.</summary>
    Recovery,

    /// <summary>Every run is told.</summary>
    Always,

    /// <summary>Somebody wrote it.</summary>
    Message,

    /// <summary>Somebody looks whether notices arrive.</summary>
    Test,
}

/// <summary>What people are told, as each channel needs it. Immutable; holds no secret.</summary>
/// <param name="Subject">One line: GOOD or FAILED, the host, and what.</param>
/// <param name="Text">The whole of it, lines ended by LF.</param>
/// <param name="Json">The same for a program.</param>
internal sealed record Notice(string Subject, string Text, string Json);

/// <summary>A way to people.</summary>
internal interface INoticeChannel
{
    /// <summary>Its word: <c>slack</c>, <c>email</c>, <c>webhook</c>.</summary>
    string Name { get; }

    /// <summary>Returns once the other side has taken it; throws <see cref="Events.BackupException"/> where it did not.</summary>
    void Send(Notice notice, CancellationToken token);
}
