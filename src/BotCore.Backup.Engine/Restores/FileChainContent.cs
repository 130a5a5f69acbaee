using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// A tree out of a full backup and its increments. The index of the last one names every entry and the archive that holds it; what that archive's own index says of the entry must be the same, so a
/// part that was exchanged is found. Constant memory but for the paths' shape. One thread.
/// </summary>
internal sealed class FileChainContent(BackupSession session, FileChain chain)
{
    private readonly ArchiveProver _prover = new(session.Keys, session.Threads);

    /// <summary>Proves every part to its end, and that they make one tree; then lets <paramref name="survey"/> look at each entry of that.</summary>
    public void Prove(RestoreSurvey survey, Action<long> moved, Action<string> said, CancellationToken token)
    {
        long before = 0;
        foreach (var part in chain.Parts)
        {
            var from = before;
            var proof = _prover.Prove(part, Depth.Archive, NoVisitor.Instance, done => moved(from + done), token);
            if (proof.Outcome != Outcome.Succeeded)
                throw new BackupException(proof.Failure ?? new Failure(FailureKind.ArchiveCorrupt, proof.Message, "Restore from another copy or an older backup.", part));
            said($"{part.Key}: {proof.Message}");
            before += part.PlainSize?.Bytes ?? 0;
        }

        DemandOneTree(token);
        Consider(survey, token);
    }

    /// <summary>The same from the indexes alone, which are shown to be genuine.</summary>
    public void Survey(RestoreSurvey survey, CancellationToken token)
    {
        DemandWhole(token);
        Consider(survey, token);
    }

    /// <summary>Demands that every part is there with a genuine index, and that what the last one says of the others is so. Reads no archive.</summary>
    public void DemandWhole(CancellationToken token)
    {
        foreach (var part in chain.Parts)
            _prover.DemandGenuineIndex(part, part.Manifest!, token);
        DemandOneTree(token);
    }

    /// <summary>Hands what <paramref name="selection"/> takes to <paramref name="writer"/>; of each part all is read, or only the members that are needed. Returns the bytes read where they are counted.</summary>
    public long Write(RestoreSelection selection, IEntryVisitor writer, bool partial, Action<long> moved, CancellationToken token)
    {
        long read = 0, before = 0;
        foreach (var part in chain.Parts)
        {
            var from = before;
            if (partial)
            {
                List<IndexEntry> wanted = [.. EntriesIn(part, token).Where(selection.Needs)];
                if (wanted.Count > 0)
                    read += new SelectiveUnsealer(part, part.Manifest!, session.Keys).Read(wanted, writer, done => moved(from + done), token);
                before += wanted.Sum(entry => entry.Size);
                continue;
            }

            using var entries = EntriesIn(part, token).GetEnumerator();
            using var stored = part.Source.OpenRead(part.Key, 0, token);
            var visitor = new PartVisitor(writer, entries);
            new Unsealer(part, session.Keys, session.Threads).Read(stored, visitor, done => moved(from + done), token);
            if (visitor.Expected is { } missing)
                throw Exchanged(part, missing, "is not where its index has it");
            before += part.PlainSize?.Bytes ?? 0;
        }

        return read;
    }

    private void Consider(RestoreSurvey survey, CancellationToken token)
    {
        // Each archive was judged alone; together they could still put something below a link.
        var shape = new ArchiveShape(new ArchiveShapeOptions());
        foreach (var entry in Tree(chain.Tip, token))
        {
            shape.Admit(new ArchiveEntry { Path = entry.Path, Kind = entry.Kind, LinkTarget = entry.LinkTarget });
            survey.Consider(entry.Path, entry.Kind, entry.LinkTarget, entry.Size);
        }
    }

    private void DemandOneTree(CancellationToken token)
    {
        var known = chain.Parts.Select(part => part.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in Tree(chain.Tip, token))
        {
            if (!known.Contains(entry.In!))
                throw Exchanged(chain.Tip, entry, $"is in backup {entry.In}, which is not in its chain");
        }

        foreach (var part in chain.Parts)
        {
            foreach (var _ in EntriesIn(part, token))
                token.ThrowIfCancellationRequested();
        }
    }

    // What the last index says is in a part, as that part's own index has it. Both are in the order of the tree.
    private IEnumerable<IndexEntry> EntriesIn(BotBackup part, CancellationToken token)
    {
        using var own = Tree(part, token).Where(entry => entry.IsArchived).GetEnumerator();
        foreach (var wanted in Tree(chain.Tip, token).Where(entry => string.Equals(entry.In, part.Id, StringComparison.Ordinal)))
        {
            var found = false;
            while (!found && own.MoveNext())
                found = own.Current.Path == wanted.Path;
            if (!found)
                throw Exchanged(part, wanted, "is not in it");
            if (!IsSame(own.Current, wanted))
                throw Exchanged(part, wanted, "is another one there than the increment goes on from");
            yield return own.Current;
        }
    }

    private static bool IsSame(IndexEntry one, IndexEntry other) =>
        one.Kind == other.Kind && one.Size == other.Size && one.LinkTarget == other.LinkTarget
        && string.Equals(one.Digest, other.Digest, StringComparison.Ordinal) && string.Equals(one.Sha256, other.Sha256, StringComparison.Ordinal);

    private IEnumerable<IndexEntry> Tree(BotBackup part, CancellationToken token)
    {
        using var index = new Unsealer(part, session.Keys, session.Threads).OpenIndex(token);
        foreach (var record in index.Read())
        {
            if (record is IndexHead head && !string.Equals(head.Id, part.Id, StringComparison.Ordinal))
                throw new BackupException(FailureKind.ChainBroken, $"The index beside {part.Location} is that of another backup.", "Copy the right index back from another store.", part);
            if (record is IndexEntry entry && (entry.IsArchived || entry.In is not null) && entry.Path != KnownTree.DeletionList)
                yield return entry with { In = entry.In ?? part.Id };
        }
    }

    private static BackupException Exchanged(BotBackup part, IndexEntry entry, string how) => new(
        FailureKind.ChainBroken, $"The chain does not fit together: '{entry.Path}' {how} ({part.Location}).", "Copy the right archive back from another store, or restore an older backup.", part);

    /// <summary>Lets through what the tree takes from one part.</summary>
    private sealed class PartVisitor : IEntryVisitor
    {
        private readonly IEntryVisitor _inner;
        private readonly IEnumerator<IndexEntry> _wanted;

        public PartVisitor(IEntryVisitor inner, IEnumerator<IndexEntry> wanted)
        {
            (_inner, _wanted) = (inner, wanted);
            Advance();
        }

        /// <summary>The next entry to come; null where none is left.</summary>
        public IndexEntry? Expected { get; private set; }

        public bool Begin(ArchiveEntry entry)
        {
            if (Expected is null || Expected.Path != entry.Path)
                return false;
            Advance();
            return _inner.Begin(entry);
        }

        public void Content(ReadOnlySpan<byte> content) => _inner.Content(content);

        public void End(ArchiveEntry entry) => _inner.End(entry);

        public void Abandon() => _inner.Abandon();

        private void Advance() => Expected = _wanted.MoveNext() ? _wanted.Current : null;
    }
}
