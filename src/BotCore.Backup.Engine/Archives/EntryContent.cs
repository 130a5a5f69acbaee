using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives;

/// <summary>Reads one entry out of a tar, hashes it, compares it with its line of the index, and only then lets the visitor have it as whole. One thread.</summary>
internal sealed class EntryContent(string archive)
{
    private readonly byte[] _buffer = new byte[1 << 18];

    /// <summary>
    /// Reads the content of <paramref name="entry"/>, at which <paramref name="tar"/> stands. <paramref name="expected"/> is its line of the index, null where there is no index.
    /// </summary>
    public void Read(TarReader tar, ArchiveEntry entry, IndexEntry? expected, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        if (expected is not null && (expected.Path != entry.Path || expected.Kind != entry.Kind || !string.Equals(expected.Digest, EntryDigest.Of(entry), StringComparison.Ordinal)))
            throw Differs(entry, "is not the entry that the index has there");

        var wanted = visitor.Begin(entry);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (var left = entry.DataLength; left > 0;)
            {
                token.ThrowIfCancellationRequested();
                var read = tar.Read(_buffer);
                if (read == 0)
                    throw Differs(entry, "ends early");
                hash.AppendData(_buffer.AsSpan(0, read));
                if (wanted)
                    visitor.Content(_buffer.AsSpan(0, read));
                left -= read;
                moved(tar.Position);
            }

            if (expected is { Sha256.Length: > 0 } && !string.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), expected.Sha256, StringComparison.Ordinal))
                throw Differs(entry, "does not have the hash that the index has");
            if (wanted)
                visitor.End(entry);
        }
        catch
        {
            visitor.Abandon();
            throw;
        }

        moved(tar.Position);
    }

    private BackupException Differs(ArchiveEntry entry, string how) => new(
        FailureKind.ArchiveCorrupt, $"'{entry.Path}' in '{archive}' {how}.", "Restore from another copy or an older backup.", archive);
}
