using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// Reads some entries of an archive of ours, and only the members that they lie in: the index says where, and CFB decryption can begin anywhere. Each entry is checked
/// against the index, whose genuineness the caller has demanded before; flaws elsewhere in the archive stay unseen. One thread.
/// </summary>
internal sealed class SelectiveUnsealer(BotBackup backup, Manifest manifest, ArchiveKeys keys)
{
    // Reading on over what is not wanted is cheaper than beginning anew, up to about this far.
    private const long WorthReadingOn = 4 << 20;

    /// <summary>
    /// Reads the entries of <paramref name="wanted"/>, which stand in the archive's order, and returns the bytes that were read from the store.
    /// </summary>
    public long Read(IReadOnlyList<IndexEntry> wanted, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        var content = new EntryContent(backup.Location);
        var source = OpenSource(token);
        Position? at = null;
        long done = 0;
        try
        {
            foreach (var entry in wanted)
            {
                token.ThrowIfCancellationRequested();
                at = Reach(entry, at, source, token);
                EntryPathRules.Check(at.Tar.Current);
                content.Read(at.Tar, at.Tar.Current, entry, visitor, _ => { }, token);
                done += entry.Size;
                moved(done);
            }
        }
        catch (InvalidDataException damaged)
        {
            throw Corrupt(damaged.Message.TrimEnd('.'), damaged);
        }
        finally
        {
            at?.Dispose();
        }

        return source.BytesRead;
    }

    // Goes on in the stream that is open where the entry is near ahead, and opens a new one at the entry's member otherwise.
    private Position Reach(IndexEntry entry, Position? at, CompressedSource source, CancellationToken token)
    {
        if (at is null || entry.Member - at.Member > WorthReadingOn)
        {
            at?.Dispose();
            at = Position.Open(source.OpenAt(entry.Member), Codecs.ByName(manifest.Codec), entry);
        }

        while (at.Tar.MoveNext())
        {
            token.ThrowIfCancellationRequested();
            if (at.Tar.Current.Path != entry.Path)
                continue;
            at.Member = entry.Member;
            return at;
        }

        throw Corrupt($"'{entry.Path}' is not where its index has it", cause: null);
    }

    private CompressedSource OpenSource(CancellationToken token)
    {
        var source = new CompressedSource(offset => backup.Source.OpenRead(backup.Key, offset, token), backup.Location);
        if (manifest.Encryption == Encryption.None)
            return source;
        try
        {
            source.Message = SeekableMessage.Open(source.OpenRaw, manifest.Size, keys.Keyring.Get);
            return source;
        }
        catch (OpenPgpException wrong)
        {
            throw OpenPgpStream.ToFailure(wrong, backup.Location);
        }
    }

    private BackupException Corrupt(string reason, Exception? cause) => new(
        FailureKind.ArchiveCorrupt, $"'{backup.Location}' is damaged: {reason}.", "Restore from another copy or an older backup.", backup, cause);

    /// <summary>The compressed stream from any offset on, counted.</summary>
    private sealed class CompressedSource(Func<long, Stream> open, string name)
    {
        public long BytesRead { get; private set; }

        public SeekableMessage? Message { get; set; }

        public Stream OpenRaw(long offset, long length) => new RangeStream(open(offset), length, read => BytesRead += read);

        public Stream OpenAt(long offset) =>
            Message is null ? OpenRaw(offset, long.MaxValue) : new OpenPgpStream(Message.OpenRead(offset), name);
    }

    /// <summary>A tar being read from some entry on.</summary>
    private sealed class Position(Stream compressed, Stream plain, TarReader tar) : IDisposable
    {
        public TarReader Tar { get; } = tar;

        public long Member { get; set; }

        public static Position Open(Stream compressed, ICodec codec, IndexEntry entry)
        {
            var plain = codec.OpenReader(compressed, leaveOpen: false);
            try
            {
                plain.ReadExactly(new byte[entry.Skip]);
                return new Position(compressed, plain, new TarReader(plain, TarReaderOptions.Foreign)) { Member = entry.Member };
            }
            catch
            {
                plain.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            Tar.Dispose();
            plain.Dispose();
            compressed.Dispose();
        }
    }
}
