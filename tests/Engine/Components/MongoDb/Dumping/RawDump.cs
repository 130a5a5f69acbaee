using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>A dump without an archive around it: what the source hands over, in memory.</summary>
internal sealed class RawDump
{
    private readonly ConcurrentQueue<BackupEvent> _told = new();

    /// <summary>Contents by path below the root.</summary>
    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, DocumentSet> Sets { get; } = new(StringComparer.Ordinal);

    public IEnumerable<string> Told => _told.Select(one => one.ToString()!);

    public static RawDump Of(MongoPlatform mongo, DumpSelection? selection = null, long splitAbove = 64 << 20, int threads = 3, string? uri = null, CancellationToken token = default)
    {
        var dump = new RawDump();
        var name = ArchiveName.Create(Component.MongoDb, "mongodb", BackupType.Full, DateTimeOffset.UtcNow, ".tar.gz");
        var options = new DumpOptions(Codecs.Gzip, 1, threads, Path.Combine(mongo.Folder, "spill"), splitAbove);
        var source = new MongoDumpSource(MongoTarget.Of(SecretUri.WithPassword(uri ?? mongo.Uri)), selection ?? new DumpSelection(mongo.Database), options, name, dump._told.Enqueue);
        foreach (var item in source.Read(token))
        {
            using (item)
                dump.Add(item, name.Stem);
        }

        return dump;
    }

    public IReadOnlyList<byte[]> Documents(string path) => PlainBson.Documents(Files[path]);

    private void Add(SourceItem item, string root)
    {
        var path = item.Path.ToString();
        Assert.StartsWith(root, path, StringComparison.Ordinal);
        path = path[root.Length..].TrimStart('/');
        if (item is PackedEntry packed)
        {
            var content = Content(packed);
            Assert.Equal(packed.Entry.Size, content.Length);
            Assert.Equal(packed.Sha256, Convert.ToHexStringLower(SHA256.HashData(content)));
            Keep(path, content, packed.Set);
        }
        else if (item is SourceEntry { Entry.Kind: EntryKind.File } entry)
        {
            var content = new byte[entry.Entry.Size];
            var done = 0;
            for (int read; (read = entry.Read(content.AsSpan(done))) > 0;)
                done += read;
            Assert.Equal(content.Length, done);
            Keep(path, content, entry.Set);
        }
    }

    private void Keep(string path, byte[] content, DocumentSet? set)
    {
        Files.Add(path, content);
        if (set is not null)
            Sets.Add(path, set);
    }

    private static byte[] Content(PackedEntry packed)
    {
        using var content = new MemoryStream();
        for (var number = 0; number < packed.Members; number++)
        {
            var (length, plain) = packed.LengthOf(number);
            var member = new byte[length];
            packed.Read(number, member);
            var before = content.Length;
            using var gzip = new GZipStream(new MemoryStream(member), CompressionMode.Decompress);
            gzip.CopyTo(content);
            Assert.Equal(plain, content.Length - before);
        }

        return content.ToArray();
    }
}
