using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>A dump that can be read more than once, whatever form it has. One thread at a time.</summary>
internal interface IDumpSource
{
    /// <summary>What it is, for people.</summary>
    string Name { get; }

    /// <summary>Bytes of all content, about; 0 where unknown.</summary>
    long Size { get; }

    /// <summary>
    /// What tells this content from every other, from checksums of its archives: two sources of the same identity give the same documents and the same oplog. Null where nothing
    /// does (a folder may have been changed since); a restore of it that was killed is not resumed but begun again. May be asked before it is proven.
    /// </summary>
    string? Identity => null;

    /// <summary>
    /// Reads what is wanted, proves it as far as its form can be proven, and gives it to <paramref name="visitor"/>. Every flaw is thrown; what the visitor got before is void then.
    /// </summary>
    void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token);

    /// <summary>Reads again what was proven: the documents of the collections that <paramref name="documents"/> wants, and the oplog where <paramref name="oplog"/>.</summary>
    void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token);

    /// <summary>What the dump itself says of a collection's documents; null where it does not.</summary>
    DocumentSet? Expected(DumpNamespace name);
}
