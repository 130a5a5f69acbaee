using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// Reads a folder tree as it is: names as bytes, owners, modes, times, attributes and ACLs, hard links, holes, links, FIFOs and devices.
/// The root comes first as <c>.</c>, folders before what is in them, names by the order of bytes; of a selection also the folders above it.
/// </summary>
internal sealed class FileTreeSource : IEntrySource
{
    private readonly FileTreeScope _scope;

    /// <summary>Describes the walk; throws <see cref="Events.BackupException"/> elsewhere than on Linux.</summary>
    public FileTreeSource(FileTreeScope scope)
    {
        FileTreeScope.RequireLinux();
        _scope = scope;
    }

    /// <summary>What was there before, for an increment: what it shows to be untouched is given as <see cref="KnownEntry"/>. Serves one walk.</summary>
    public KnownTree? Known { get; init; }

    /// <inheritdoc/>
    /// <remarks>Throws <see cref="Events.BackupException"/> when the root cannot be opened. May be called again, for another walk.</remarks>
    public IEnumerable<SourceItem> Read(CancellationToken token)
    {
        using var walk = new TreeWalk(_scope);
        var reader = new NodeReader(walk, Known);
        walk.Start(reader.RootHeader());
        yield return new HeaderEntry(walk.TakeUnannounced()!.Header!);
        while (walk.MoveNext())
        {
            token.ThrowIfCancellationRequested();
            using var item = reader.Open();
            while (walk.TakeProblem() is { } problem)
                yield return problem;
            if (item is SourceProblem)
            {
                yield return item;
                continue;
            }

            // What was entered is among the unannounced; without an item a folder is only passed through unless it is selected.
            while ((item is not null || walk.Selected) && walk.TakeUnannounced() is { } folder)
                yield return new HeaderEntry(folder.Header!);
            if (item is null)
                continue;
            yield return item;
            if (item is FileEntry { Failed: true } failed)
                reader.Forget(failed);
        }

        while (walk.TakeProblem() is { } problem)
            yield return problem;
    }
}
