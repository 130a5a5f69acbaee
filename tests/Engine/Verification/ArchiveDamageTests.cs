using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>Damage by accident: every size class, encrypted and not, is found with its kind, and a restore writes nothing.</summary>
public sealed class ArchiveDamageTests
{
    public static TheoryData<string, bool> Classes
    {
        get
        {
            var classes = new TheoryData<string, bool>();
            foreach (var size in new[] { "empty", "tiny", "small", "block", "members" })
            {
                classes.Add(size, true);
                classes.Add(size, false);
            }

            return classes;
        }
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void What_is_whole_is_proven_and_comes_back(string size, bool encrypted)
    {
        using var sample = new SealedSample(size, encrypted);
        var result = sample.Place.Prove(sample.Backup);

        Assert.Equal(Outcome.Succeeded, result.Outcome);
        Assert.Equal(encrypted, result.Proof.Authenticated);
        sample.Place.Restore(sample.Backup);
        Assert.Equal(Workplace.Describe(sample.Place.Project), Workplace.Describe(sample.Place.Destination));
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void A_flipped_byte_anywhere_is_ChecksumMismatch(string size, bool encrypted)
    {
        using var sample = new SealedSample(size, encrypted);
        var restores = 0;
        foreach (var position in sample.Positions())
        {
            sample.Flip(position);
            Expect(sample, FailureKind.ChecksumMismatch, $"flipped at {position} of {sample.Archive.Length}", andRestore: restores++ % 8 == 0);
        }

        Assert.True(restores > 50);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void A_truncated_archive_is_ArchiveCorrupt(string size, bool encrypted)
    {
        using var sample = new SealedSample(size, encrypted);
        var whole = sample.Archive;
        foreach (var length in new[] { 0, 1, 2, 15, 16, 40, 60, 100, whole.Length / 2, whole.Length - 23, whole.Length - 22, whole.Length - 8, whole.Length - 1 })
        {
            File.WriteAllBytes(sample.ArchiveFile, whole[..length]);
            Expect(sample, FailureKind.ArchiveCorrupt, $"cut to {length} of {whole.Length}");
        }
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Bytes_that_were_appended_are_ChecksumMismatch(string size, bool encrypted)
    {
        using var sample = new SealedSample(size, encrypted);
        foreach (var more in new byte[][] { [0], [0x55], new byte[4096], sample.Archive })
        {
            File.WriteAllBytes(sample.ArchiveFile, [.. sample.Archive, .. more]);
            Expect(sample, FailureKind.ChecksumMismatch, $"{more.Length} bytes appended");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_index_that_was_flipped_cut_or_lost_is_ChecksumMismatch(bool encrypted)
    {
        using var sample = new SealedSample("tiny", encrypted);
        for (var position = 0; position < sample.Index.Length; position++)
        {
            var bytes = sample.Index;
            bytes[position] ^= 0x55;
            File.WriteAllBytes(sample.IndexFile, bytes);
            Expect(sample, FailureKind.ChecksumMismatch, $"index flipped at {position}", andRestore: position % 8 == 0);
        }

        foreach (var length in new[] { 0, 1, 20, sample.Index.Length - 1 })
        {
            File.WriteAllBytes(sample.IndexFile, sample.Index[..length]);
            Expect(sample, FailureKind.ChecksumMismatch, $"index cut to {length}");
        }

        File.Delete(sample.IndexFile);
        Expect(sample, FailureKind.ChecksumMismatch, "index lost");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checksum_file_that_says_otherwise_is_ChecksumMismatch(bool encrypted)
    {
        using var sample = new SealedSample("tiny", encrypted);
        File.WriteAllText(sample.ChecksumFile, new string('0', 64) + "  " + Path.GetFileName(sample.ArchiveFile) + "\n");

        Expect(sample, FailureKind.ChecksumMismatch, "checksum edited");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lost_archive_is_BackupNotFound(bool encrypted)
    {
        using var sample = new SealedSample("tiny", encrypted);
        File.Delete(sample.ArchiveFile);

        Expect(sample, FailureKind.BackupNotFound, "archive lost");
        var listed = Assert.IsType<Failed>(Assert.Single(BackupCatalog.List(sample.Place.Local, Workplace.None)));
        Assert.Equal(FailureKind.BackupNotFound, listed.Failure.Kind);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("members")]
    public void Another_passphrase_is_WrongPassphrase(string size)
    {
        using var sample = new SealedSample(size, encrypted: true);
        var other = sample.Place.NewSession("wrong horse");

        foreach (var depth in new[] { Depth.Checksum, Depth.Archive })
        {
            var result = sample.Place.Prove(sample.Backup, depth, other);
            Assert.Equal(Outcome.Failed, result.Outcome);
            Assert.Equal(FailureKind.WrongPassphrase, result.Failure!.Kind);
        }

        Assert.Equal(FailureKind.WrongPassphrase, sample.Place.Refuse(sample.Backup, session: other));
        Assert.Equal(FailureKind.WrongPassphrase, sample.Place.Refuse(sample.Backup, new() { Include = ["*"] }, other));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lost_manifest_is_ManifestMissing(bool encrypted)
    {
        using var sample = new SealedSample("tiny", encrypted);
        File.Delete(sample.ManifestFile);

        Assert.Equal(FailureKind.ManifestMissing, Assert.Throws<BackupException>(() => sample.Place.Reopen(sample.Backup)).Failure.Kind);
        var listed = Assert.IsType<Failed>(Assert.Single(BackupCatalog.List(sample.Place.Local, Workplace.None)));
        Assert.Equal(FailureKind.ManifestMissing, listed.Failure.Kind);

        // Without its index it looks like an archive of the old scripts, until it is opened: its id stands inside.
        File.Delete(sample.IndexFile);
        File.Delete(sample.ChecksumFile);
        var orphan = sample.Place.Reopen(sample.Backup);
        Assert.Equal(Proof.None, orphan.Proof);
        Assert.Equal(FailureKind.ManifestMissing, sample.Place.Prove(orphan).Failure!.Kind);
        Assert.Equal(FailureKind.ManifestMissing, sample.Place.Refuse(orphan));
    }

    private static void Expect(SealedSample sample, FailureKind kind, string what, bool andRestore = true)
    {
        var result = sample.Look();
        Assert.True(result.Outcome == Outcome.Failed, $"{what}: {result.Outcome}");
        Assert.True(result.Failure!.Kind == kind, $"{what}: {result.Failure}");
        Assert.Equal(Proof.None, result.Proof);
        if (andRestore)
            Assert.Equal(kind, sample.Place.Refuse(sample.Place.Reopen(sample.Backup)));
    }
}
