using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>All files below a folder, level by level: the folders of one level are asked for together, so a deep tree costs a few round trips and not a few a folder.</summary>
internal sealed class SftpWalk(SftpClient client, SftpPlace place, CancellationToken token)
{
    /// <summary>Whether a key is no object of the store: half-written, or a lease.</summary>
    public static bool IsHidden(string key) => key[(key.LastIndexOf('/') + 1)..].StartsWith('.');

    /// <summary>Files below <paramref name="folder"/>, in no order, hidden ones too; hidden folders and linked ones are left out, and so are names that are not UTF-8, which no key can say.</summary>
    public IEnumerable<StoredObject> Walk(string folder, Func<string, bool> isWanted)
    {
        for (var level = new List<string> { folder }; level.Count > 0;)
        {
            var keys = level.ToDictionary(place.PathOf, StringComparer.Ordinal);
            level = [];
            foreach (var (path, entries) in client.List(keys.Keys, token))
            {
                var above = keys[path];
                foreach (var entry in entries)
                {
                    token.ThrowIfCancellationRequested();
                    var key = above.Length == 0 ? entry.Name : $"{above}/{entry.Name}";
                    if (entry.Name.Contains('\uFFFD', StringComparison.Ordinal) || entry.Name.Contains('/', StringComparison.Ordinal))
                        continue;
                    var attributes = Followed(entry.Attributes, key);
                    // Of a folder the key's beginning is looked at with its slash, as all below it has one.
                    if (attributes is { IsFolder: true } && !entry.Attributes.IsLink && !IsHidden(key) && isWanted(key + "/"))
                        level.Add(key);
                    else if (attributes is { IsFile: true, Size: { } size } && isWanted(key))
                        yield return new StoredObject(key, size);
                }
            }
        }
    }

    // Some servers say nothing in a listing; a link says nothing of what it leads to.
    private SftpAttributes? Followed(SftpAttributes listed, string key) => listed.Mode is null || listed.IsLink || (listed.IsFile && listed.Size is null) ? client.Stat(place.PathOf(key), token) : listed;
}
