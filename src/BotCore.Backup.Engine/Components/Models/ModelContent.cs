using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;

namespace BotCore.Backup.Engine.Components.Models;

/// <summary>What a model is now, by the hash of its content. Files that show themselves untouched since the version that is stored are not read: their hashes stand in its index.</summary>
internal static class ModelContent
{
    /// <summary>The hash; null where something cannot be read, which a backup then tells.</summary>
    public static string? HashOf(FileTreeScope scope, KnownTree? known, Action<long, EntryPath> moved, CancellationToken token)
    {
        var content = new ContentIdentity();
        var buffer = new byte[1 << 20];
        long done = 0;
        foreach (var item in new FileTreeSource(scope) { Known = known }.Read(token))
        {
            token.ThrowIfCancellationRequested();
            known?.Take(item.Path);
            switch (item)
            {
                case KnownEntry { Line: var line }:
                    content.Add(line.Path, line.Kind, line.Size, line.Sha256, line.LinkTarget);
                    done += line.Size;
                    break;
                case SourceEntry { Entry: var entry } source:
                    content.Add(entry.Path, entry.Kind, entry.Size, entry.Kind == EntryKind.File ? Hash(source) : "", entry.LinkTarget);
                    break;
                case SourceProblem { Failure: null, Mark: EntryMark.None }:
                    break;
                default:
                    return null;
            }

            moved(done, item.Path);
        }

        return content.Finish();

        string Hash(SourceEntry source)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int read; (read = source.Read(buffer)) > 0; done += read)
            {
                token.ThrowIfCancellationRequested();
                hash.AppendData(buffer.AsSpan(0, read));
                moved(done, source.Path);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}
