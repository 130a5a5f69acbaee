using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Verification;

/// <summary>
/// <c>mongodb/verified/</c> of the local store: a relative symbolic link to every database archive that is proven at Archive depth or deeper and was not found damaged since. A view for people and scripts, made of the
/// ledger; nothing is decided by it. What somebody else put into that folder is left alone.
/// </summary>
internal static partial class VerifiedLinks
{
    private const string Above = "mongodb/";
    private const string Folder = "mongodb/verified/";

    /// <summary>Whether <paramref name="key"/> stands in that folder: it is another name of something, and never a backup.</summary>
    public static bool IsIn(string key) => key.StartsWith(Folder, StringComparison.Ordinal);

    /// <summary>The archive that <paramref name="path"/> is a link of ours to; the path itself where it is none.</summary>
    public static string Follow(IStore store, string path)
    {
        var root = store is FolderStore ? store.Locate(Folder) : "";
        return root.Length > 0 && path.StartsWith(root, StringComparison.Ordinal) && IsOurs(new FileInfo(path)) ? Path.GetFullPath(new FileInfo(path).LinkTarget!, root) : path;
    }

    /// <summary>Makes the link of a backup that was tested, or removes it, as its proof asks.</summary>
    public static void Show(BotBackup backup, Action<BackupEvent> tell)
    {
        if (!HasOne(backup))
            return;
        if (IsVerified(backup))
            Make(backup, tell);
        else
            Remove(backup);
    }

    /// <summary>Removes the link of a backup that goes, or is not good.</summary>
    public static void Remove(BotBackup backup)
    {
        if (HasOne(backup))
            Remove(new FileInfo(PathOf(backup)));
    }

    /// <summary>Makes the folder what the ledger of the store says, whatever became of archives meanwhile.</summary>
    public static void Rebuild(IStore store, TimeProvider clock, Action<BackupEvent> tell, CancellationToken token)
    {
        if (store is not FolderStore)
            return;
        var verified = BackupCatalog.List(store, Above, token, clock).OfType<Made>().Select(made => (BotBackup)made.Item).Where(one => HasOne(one) && IsVerified(one)).ToList();
        var wanted = verified.Select(PathOf).ToHashSet(StringComparer.Ordinal);
        var folder = new DirectoryInfo(store.Locate(Folder));
        if (folder.Exists)
        {
            foreach (var stale in folder.EnumerateFiles().Where(file => !wanted.Contains(file.FullName)).ToList())
                Remove(stale);
        }

        foreach (var backup in verified)
            Make(backup, tell);
    }

    private static bool HasOne(BotBackup backup) =>
        backup is { Component: Component.MongoDb, PlainDump: null, Source: FolderStore { Name: "local" } } && backup.Key.StartsWith(Above, StringComparison.Ordinal) && !IsIn(backup.Key);

    private static bool IsVerified(BotBackup backup) => backup is { IsDamaged: false, Proof.Depth: >= Depth.Archive };

    private static string PathOf(BotBackup backup) => Path.Combine(backup.Source.Locate(Folder), Path.GetFileName(backup.Key));

    // A link that is one of ours leads to an archive of its own name in the folders of the store, and nowhere else.
    private static bool IsOurs(FileInfo link) => link.LinkTarget is { } target && Target().IsMatch(target) && string.Equals(Path.GetFileName(target), link.Name, StringComparison.Ordinal);

    private static void Make(BotBackup backup, Action<BackupEvent> tell)
    {
        var link = new FileInfo(PathOf(backup));
        var target = "../" + backup.Key[Above.Length..];
        if (string.Equals(link.LinkTarget, target, StringComparison.Ordinal))
            return;
        try
        {
            FolderStore.MakeFolders(link.DirectoryName!);
            File.CreateSymbolicLink(link.FullName, target);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            // Another run made it meanwhile, somebody's own file has the name, or the system makes no links: the proof is as good without.
            tell(new Said($"No link to {backup.Key} was made in {Folder}: {wrong.Message}"));
        }
    }

    private static void Remove(FileInfo link)
    {
        if (!IsOurs(link))
            return;
        try
        {
            link.Delete();
            link.Directory!.Delete();
        }
        catch (Exception left) when (left is IOException or UnauthorizedAccessException)
        {
            // The folder holds others, or may not be written: the next test tries again.
        }
    }

    [GeneratedRegex(@"\A\.\./[0-9]{4}/[0-9]{2}/[^/]+\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Target();
}
