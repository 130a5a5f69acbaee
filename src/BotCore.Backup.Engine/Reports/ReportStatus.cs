namespace BotCore.Backup.Engine.Reports;

/// <summary>How something in a report stands. Only Ok is good.</summary>
public enum ReportStatus
{
    /// <summary>Nobody has looked: as bad as a failure, since nothing is known to be good.</summary>
    Unknown = 0,

    /// <summary>Looked at, and good.</summary>
    Ok,

    /// <summary>Good for now, and somebody should see to it.</summary>
    Warning,

    /// <summary>Looked at, and not good.</summary>
    Failed,
}
