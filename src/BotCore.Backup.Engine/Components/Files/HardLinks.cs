using System.Diagnostics.CodeAnalysis;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Remembers the first name of each node that has several, until all of them were seen.</summary>
internal sealed class HardLinks
{
    private readonly Dictionary<FileIdentity, First> _firsts = [];

    /// <summary>Whether a node of several names was given before, and by which <paramref name="first"/> name.</summary>
    public bool TryTake(in FileStatus status, [NotNullWhen(true)] out EntryPath? first)
    {
        first = null;
        if (status.Links < 2 || !_firsts.TryGetValue(status.Identity, out var known))
            return false;
        if (--known.Left == 0)
            _firsts.Remove(status.Identity);
        first = known.Path;
        return true;
    }

    /// <summary>Says that the node was given by the name <paramref name="path"/>.</summary>
    public void Remember(in FileStatus status, EntryPath path)
    {
        if (status.Links > 1)
            _firsts[status.Identity] = new First(path) { Left = status.Links - 1 };
    }

    /// <summary>Says that the node could not be read after all: the next name takes the place of the first.</summary>
    public void Forget(FileIdentity identity) => _firsts.Remove(identity);

    private sealed class First(EntryPath path)
    {
        public EntryPath Path { get; } = path;

        public uint Left { get; set; }
    }
}
