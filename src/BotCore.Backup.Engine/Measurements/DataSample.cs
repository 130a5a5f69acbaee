using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Measurements;

/// <summary>Some of what a backup would hold, taken from all over it, in memory.</summary>
internal static class DataSample
{
    // Opening a file costs more than reading a little of it.
    private const int MostFiles = 2000;
    private const int LeastOfFile = 4096;
    private const int LeastOfCollection = 16 * 1024;

    /// <summary>Up to <paramref name="size"/> bytes of the files of a tree: of every so many-th file as much as its share is. What cannot be read is left out; the backup will tell of it.</summary>
    public static byte[] OfFiles(FileTreeScope scope, FileTreeEstimate estimate, int size, CancellationToken token)
    {
        var sample = new byte[Math.Min(size, Math.Max(estimate.Bytes, 0))];
        var every = Math.Max(1, estimate.Entries / MostFiles);
        var share = estimate.Bytes <= size ? 1 : (double)size / estimate.Bytes * every;
        var taken = 0;
        long number = 0;
        foreach (var item in new FileTreeSource(scope).Read(token))
        {
            using (item)
            {
                if (item is not SourceEntry { Entry.Kind: EntryKind.File } file || number++ % every != 0)
                    continue;
                var wanted = Math.Max(LeastOfFile, (long)(file.Entry.DataLength * share));
                taken += Fill(file, sample.AsSpan(taken, (int)Math.Min(wanted, sample.Length - taken)));
                if (taken == sample.Length)
                    break;
            }
        }

        return sample[..taken];
    }

    /// <summary>Up to <paramref name="size"/> bytes of documents, of each collection about as its share of all documents is.</summary>
    public static byte[] OfDatabase(MongoTarget target, DumpSelection selection, int size, CancellationToken token) => target.Guard("taking a sample", () =>
    {
        using var client = target.Connect(requirePrimary: false, token);
        var catalog = new ServerCatalog(client, token);
        var collections = catalog.Databases(selection).SelectMany(catalog.Collections).Select(one => one.Data).OfType<Components.MongoDb.Dumps.DumpNamespace>()
            .Select(one => (Name: one, Count: client.Run(one.Database, new BsonBuilder().Append("count", one.Collection), token).FindInt64("n"u8) ?? 0))
            .Where(one => one.Count > 0).ToList();
        var all = Math.Max(1, collections.Sum(one => one.Count));
        var sample = new byte[size];
        var taken = 0;
        foreach (var (name, count) in collections)
        {
            var room = (int)Math.Min(sample.Length - taken, Math.Max(LeastOfCollection, (long)((double)size * count / all)));
            using var cursor = client.Open(name.Database, new BsonBuilder().Append("find", name.Collection), new CursorOptions(), token);
            while (room > 0 && cursor.Next() == CursorStep.Document && cursor.Current.Length <= room)
            {
                cursor.Current.CopyTo(sample.AsSpan(taken));
                taken += cursor.Current.Length;
                room -= cursor.Current.Length;
            }
        }

        return sample[..taken];
    });

    private static int Fill(SourceEntry file, Span<byte> room)
    {
        var filled = 0;
        try
        {
            while (filled < room.Length && file.Read(room[filled..]) is > 0 and var read)
                filled += read;
        }
        catch (Events.BackupException)
        {
            // What was read so far is as good a sample.
        }

        return filled;
    }
}
