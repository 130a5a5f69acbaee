namespace BotCore.Backup.Engine.Events;

/// <summary>What went wrong, on what, and what to do about it. Holds no secret: texts are shown and logged as they are.</summary>
/// <param name="Kind">The one word for it.</param>
/// <param name="Message">One or two full sentences that name the thing and the reason.</param>
/// <param name="Advice">One sentence that says what to do.</param>
/// <param name="Target">The backup, store or path it happened on.</param>
/// <param name="Cause">The raw exception, kept for the curious.</param>
public sealed record Failure(FailureKind Kind, string Message, string Advice, object? Target = null, Exception? Cause = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind}: {Message} {Advice}";
}

/// <summary>A <see cref="Failure"/> on its way up. The engine throws no other exception on purpose, beside <see cref="OperationCanceledException"/>.</summary>
public sealed class BackupException : Exception
{
    /// <summary>Wraps <paramref name="failure"/>.</summary>
    public BackupException(Failure failure)
        : base(failure.Message, failure.Cause) => Failure = failure;

    /// <summary>Wraps a failure made of its parts.</summary>
    public BackupException(FailureKind kind, string message, string advice, object? target = null, Exception? cause = null)
        : this(new Failure(kind, message, advice, target, cause))
    {
    }

    /// <summary>What went wrong.</summary>
    public Failure Failure { get; }

    /// <summary>How long the other side asked to be left alone before it is tried again; zero where it did not say.</summary>
    public TimeSpan RetryAfter { get; init; }
}
