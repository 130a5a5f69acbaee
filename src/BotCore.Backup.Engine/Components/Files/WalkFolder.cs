using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>A folder that a walk is in, with what is left to visit.</summary>
internal sealed class WalkFolder(EntryPath path, int descriptor, FileIdentity identity, ArchiveEntry? header, bool whole, SelectionState[] states)
    : IDisposable
{
    /// <summary>Path inside the archive.</summary>
    public EntryPath Path { get; } = path;

    /// <summary>The open folder, or -1 while it is closed to keep few descriptors open.</summary>
    public int Descriptor { get; set; } = descriptor;

    /// <summary>Tells whether what is opened again is still the same.</summary>
    public FileIdentity Identity { get; } = identity;

    /// <summary>Its entry, where the reader has yet to give it.</summary>
    public ArchiveEntry? Header { get; } = header;

    /// <summary>Everything in it is selected.</summary>
    public bool Whole { get; } = whole;

    /// <summary>Selections that go on in it.</summary>
    public SelectionState[] States { get; } = states;

    /// <summary>What is in it, or what is looked for in it.</summary>
    public NameList Names { get; } = new();

    /// <summary>Whether the names come from a listing, and so did exist.</summary>
    public bool Listed { get; set; }

    /// <summary>The name that is visited.</summary>
    public int Current { get; set; } = -1;

    public bool HasMore => Current + 1 < Names.Count;

    /// <summary>Its own name, with a NUL.</summary>
    public byte[] OwnName()
    {
        var name = Path.Bytes[(Path.Bytes.LastIndexOf((byte)'/') + 1)..];
        return [.. name, 0];
    }

    public void Close()
    {
        if (Descriptor >= 0)
            _ = Syscalls.Close(Descriptor);
        Descriptor = -1;
    }

    public void Dispose()
    {
        Close();
        Names.Dispose();
    }
}
