using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Restores;

public sealed class RestoreProofTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("proof-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [LinuxFact(AsRoot = true)]
    public void What_was_written_and_stands_is_proven()
    {
        var proof = Restore();

        proof.Demand(new EntryPath(_folder), exact: true, _ => { }, CancellationToken.None);
    }

    [LinuxFact(AsRoot = true)]
    public void A_changed_byte_is_a_mismatch() => AssertMismatch(() =>
    {
        var file = Path.Combine(_folder, "a");
        var time = File.GetLastWriteTimeUtc(file);
        File.WriteAllText(file, "alphA");
        File.SetLastWriteTimeUtc(file, time);
    });

    [LinuxFact(AsRoot = true)]
    public void Another_mode_is_a_mismatch() => AssertMismatch(() => Shell.Run("chmod", "0400", Path.Combine(_folder, "a")));

    [LinuxFact(AsRoot = true)]
    public void Another_time_is_a_mismatch() => AssertMismatch(() => File.SetLastWriteTimeUtc(Path.Combine(_folder, "a"), DateTime.UnixEpoch));

    [LinuxFact(AsRoot = true)]
    public void A_missing_entry_is_a_mismatch() => AssertMismatch(() => File.Delete(Path.Combine(_folder, "link")));

    [LinuxFact(AsRoot = true)]
    public void A_hard_link_that_became_a_copy_is_a_mismatch() => AssertMismatch(() =>
    {
        File.Delete(Path.Combine(_folder, "same"));
        File.Copy(Path.Combine(_folder, "a"), Path.Combine(_folder, "same"));
    });

    [Fact]
    public void The_hash_of_content_does_not_depend_on_holes()
    {
        var page = new byte[4096];
        page[5] = 1;
        var size = 5 * 4096;
        using var sparse = new ContentHash(new ArchiveEntry { Path = new EntryPath("x"), Kind = EntryKind.File, Size = size, Sparse = [new SparseRun(8192, 4096)] });
        using var whole = new ContentHash(new ArchiveEntry { Path = new EntryPath("x"), Kind = EntryKind.File, Size = size });
        using var other = new ContentHash(new ArchiveEntry { Path = new EntryPath("x"), Kind = EntryKind.File, Size = size, Sparse = [new SparseRun(4096, 4096)] });
        sparse.Append(page);
        other.Append(page);
        whole.Append(new byte[8192]);
        whole.Append(page.AsSpan(0, 3));
        whole.Append(page.AsSpan(3));
        whole.Append(new byte[8192]);

        var hash = sparse.Finish();
        Assert.Equal(whole.Finish(), hash, StringComparer.Ordinal);
        Assert.NotEqual(other.Finish(), hash, StringComparer.Ordinal);
    }

    private void AssertMismatch(Action change)
    {
        var proof = Restore();
        change();

        var wrong = Assert.Throws<BackupException>(() => proof.Demand(new EntryPath(_folder), exact: true, _ => { }, CancellationToken.None));
        Assert.Equal(FailureKind.RestoreMismatch, wrong.Failure.Kind);
    }

    private RestoreProof Restore()
    {
        using var tree = new FileTreeWriter(new EntryPath(_folder));
        using var writer = new RestoreWriter(tree, new RestoreSelection(new EntryFilter([], [])));
        Write(writer, Entry(".", EntryKind.Directory));
        Write(writer, Entry("a", EntryKind.File) with { Size = 5 }, "alpha");
        Write(writer, Entry("link", EntryKind.SymbolicLink) with { LinkTarget = new EntryPath("a") });
        Write(writer, Entry("same", EntryKind.HardLink) with { LinkTarget = new EntryPath("a") });
        tree.Finish();
        return writer.Proof;
    }

    private static void Write(RestoreWriter writer, ArchiveEntry entry, string content = "")
    {
        Assert.True(writer.Begin(entry));
        if (content.Length > 0)
            writer.Content(Encoding.UTF8.GetBytes(content));
        writer.End(entry);
    }

    private static ArchiveEntry Entry(string path, EntryKind kind) => new()
    {
        Path = new EntryPath(path),
        Kind = kind,
        Mode = kind == EntryKind.SymbolicLink ? 0x1FF : 0x1ED,
        Modified = new UnixTime(1_700_000_000, 0),
    };
}
