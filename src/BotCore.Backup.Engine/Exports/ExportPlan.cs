using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Exports;

/// <summary>What a backup is exported as.</summary>
public enum ExportForm
{
    /// <summary>A folder: mongodump's directory layout for a database, the files themselves for all others.</summary>
    Folder = 0,

    /// <summary>One file, as <c>mongodump --archive</c> writes it and <c>mongorestore --archive</c> reads it; of a database only.</summary>
    MongodumpArchive,
}

/// <summary>How to export.</summary>
public sealed record ExportRequest
{
    /// <summary>As what.</summary>
    public ExportForm Form { get; init; }

    /// <summary>Full path of the file or folder to make; the folder above it must be there.</summary>
    public required string Destination { get; init; }

    /// <summary>Write the file as gzip data, which <c>mongorestore --gzip</c> takes; of <see cref="ExportForm.MongodumpArchive"/> only.</summary>
    public bool Gzip { get; init; }

    /// <summary>Replace a file that is there. A folder that holds something is never replaced.</summary>
    public bool Force { get; init; }
}

/// <summary>One backup into one file or folder.</summary>
public sealed record ExportStep : Step
{
    internal ExportStep(BotBackup backup, ExportRequest request, string action)
        : base(request.Destination, action) => (Backup, Request) = (backup, request);

    /// <summary>What is exported.</summary>
    public BotBackup Backup { get; }

    internal ExportRequest Request { get; }
}
