using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Backups;

/// <summary>What an increment of files is made of: any tree that stands in a folder, be it of the configuration, a folder or a volume.</summary>
/// <param name="Component">What is in it.</param>
/// <param name="Name">Which one of its component.</param>
/// <param name="Scope">The tree.</param>
internal sealed record FileIncrementPlan(Component Component, string Name, FileTreeScope Scope)
{
    /// <summary>Puts around the reading what must go with it; null where nothing does.</summary>
    public Func<IEntrySource, Action<BackupEvent>, IEntrySource>? Around { get; init; }

    /// <summary>The folder of a store that all its archives lie in, with a slash.</summary>
    public string Folder => ArchiveName.Create(Component, Name, BackupType.Full, DateTimeOffset.UnixEpoch, ".tar").Folder + "/";
}
