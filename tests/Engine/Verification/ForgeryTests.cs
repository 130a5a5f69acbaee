using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>Damage on purpose, by somebody who may write to the store and has no key: each is found, and a restore writes nothing.</summary>
public sealed class ForgeryTests
{
    private static readonly (string Field, Func<Manifest, Manifest> Edit, FailureKind? Plain)[] Edits =
    [
        ("id", m => m with { Id = "0123456789abcdef" }, FailureKind.ManifestMismatch),
        ("runId", m => m with { RunId = "0123456789abcdef" }, null),
        ("component", m => m with { Component = Component.Volume }, null),
        ("name", m => m with { Name = "other" }, null),
        ("type", m => m with { Type = BackupType.Snapshot }, null),
        ("started", m => m with { Started = m.Started.AddYears(1) }, null),
        ("completed", m => m with { Completed = m.Completed.AddYears(1) }, null),
        ("host", m => m with { Host = "elsewhere" }, null),
        ("tool", m => m with { Tool = "other" }, null),
        ("codec", m => m with { Codec = "zstd" }, Codecs.Available.Any(codec => codec.Name is "zstd") ? FailureKind.ArchiveCorrupt : FailureKind.CodecMissing),
        ("entries", m => m with { Entries = m.Entries + 1 }, FailureKind.ManifestMismatch),
        ("changed", m => m with { Changed = 1 }, null),
        ("vanished", m => m with { Vanished = 1 }, null),
        ("plainSize", m => m with { PlainSize = m.PlainSize + 1 }, FailureKind.ManifestMismatch),
        ("size", m => m with { Size = m.Size - 1 }, FailureKind.ChecksumMismatch),
        ("sha256", m => m with { Sha256 = new string('0', 64) }, FailureKind.ChecksumMismatch),
        ("indexSize", m => m with { IndexSize = m.IndexSize + 1 }, FailureKind.ChecksumMismatch),
        ("indexSha256", m => m with { IndexSha256 = new string('0', 64) }, FailureKind.ChecksumMismatch),
        ("encryption", m => m with { Encryption = m.Encryption == Encryption.None ? Encryption.Passphrase : Encryption.None }, FailureKind.ManifestMismatch),
        ("encryption to recipients", m => m with { Encryption = Encryption.Recipients }, FailureKind.ManifestMismatch),
    ];

    [Fact]
    public void Each_edited_field_of_an_encrypted_archives_manifest_is_ArchiveUnauthenticated_at_every_depth()
    {
        using var sample = new SealedSample("tiny", encrypted: true);
        foreach (var (field, edit, _) in Edits)
        {
            sample.Edit(edit);
            Expect(sample, FailureKind.ArchiveUnauthenticated, field, Depth.Checksum);
            Expect(sample, FailureKind.ArchiveUnauthenticated, field);
        }

        sample.Edit(m => m with { Hmac = null });
        Expect(sample, FailureKind.ArchiveUnauthenticated, "no hmac");
        sample.Edit(m => m with { Hmac = new string('0', 64) });
        Expect(sample, FailureKind.ArchiveUnauthenticated, "another hmac");
    }

    [Fact]
    public void What_can_be_known_without_a_key_is_held_against_the_manifest_of_a_plain_archive()
    {
        using var sample = new SealedSample("tiny", encrypted: false);
        foreach (var (field, edit, plain) in Edits.Where(edit => edit.Plain is not null))
        {
            sample.Edit(edit);
            Expect(sample, plain!.Value, field);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_manifest_that_is_none_or_of_another_archive_is_ManifestMismatch(bool encrypted)
    {
        using var sample = new SealedSample("tiny", encrypted);
        foreach (var json in new[] { "", "{}", "null", "[]", new string(' ', 5000), System.Text.Encoding.UTF8.GetString(sample.Manifest.ToJson()).Replace("\"format\": 1", "\"format\": 3", StringComparison.Ordinal) })
        {
            File.WriteAllText(sample.ManifestFile, json);
            Assert.Equal(FailureKind.ManifestMismatch, Assert.Throws<BackupException>(() => sample.Place.Reopen(sample.Backup)).Failure.Kind);
            var listed = Assert.IsType<Failed>(Assert.Single(BackupCatalog.List(sample.Place.Local, Workplace.None)));
            Assert.Equal(FailureKind.ManifestMismatch, listed.Failure.Kind);
        }

        sample.Edit(m => m with { Archive = "config_20200101_000000.tar.gz" });
        Assert.Equal(FailureKind.ManifestMismatch, Assert.Throws<BackupException>(() => sample.Place.Reopen(sample.Backup)).Failure.Kind);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("tiny")]
    [InlineData("members")]
    public void A_flipped_byte_under_hashes_made_anew_is_ArchiveUnauthenticated(string size)
    {
        using var sample = new SealedSample(size, encrypted: true);
        foreach (var position in sample.Positions().Where((_, i) => i % 5 == 0))
        {
            sample.Flip(position);
            sample.Rehash();
            Expect(sample, FailureKind.ArchiveUnauthenticated, $"flipped at {position}");
        }
    }

    [Fact]
    public void A_flipped_byte_of_the_index_under_hashes_made_anew_is_ArchiveUnauthenticated()
    {
        using var sample = new SealedSample("tiny", encrypted: true);
        for (var position = 0; position < sample.Index.Length; position += 5)
        {
            sample.PutRight();
            var bytes = sample.Index;
            bytes[position] ^= 0x55;
            File.WriteAllBytes(sample.IndexFile, bytes);
            sample.Rehash();
            Expect(sample, FailureKind.ArchiveUnauthenticated, $"index flipped at {position}");
        }
    }

    [Fact]
    public void A_flipped_byte_of_a_plain_archive_under_hashes_made_anew_does_not_pass_for_its_content()
    {
        using var sample = new SealedSample("tiny", encrypted: false);
        foreach (var position in sample.Positions().Where(position => position >= 10))
        {
            // Deflate has bits that mean nothing, such as those after its end: those alone may change unseen.
            sample.Flip(position);
            sample.Rehash();
            var result = sample.Look();
            if (result.Outcome == Outcome.Succeeded)
                Assert.False(result.Proof.Authenticated);
            else
                Assert.Equal(FailureKind.ArchiveCorrupt, result.Failure!.Kind);
        }
    }

    [Theory]
    [InlineData(true, "archive")]
    [InlineData(false, "archive")]
    [InlineData(true, "archive, index")]
    [InlineData(false, "archive, index")]
    [InlineData(true, "archive, checksum")]
    [InlineData(false, "archive, index, checksum")]
    [InlineData(true, "archive, index, checksum")]
    public void Files_of_another_backup_under_the_same_passphrase_are_ManifestMismatch(bool encrypted, string files)
    {
        using var sample = new SealedSample("tiny", encrypted);
        Exchange(sample, files);

        Expect(sample, FailureKind.ManifestMismatch, files);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_whole_other_backup_under_this_name_is_ManifestMismatch(bool encrypted)
    {
        using var sample = new SealedSample("tiny", encrypted);
        Exchange(sample, "archive, index, checksum, manifest");

        Assert.Equal(FailureKind.ManifestMismatch, Assert.Throws<BackupException>(() => sample.Place.Reopen(sample.Backup)).Failure.Kind);
        var bad = BackupCatalog.List(sample.Place.Local, Workplace.None).OfType<Failed>();
        Assert.Equal(FailureKind.ManifestMismatch, Assert.Single(bad).Failure.Kind);
    }

    [Fact]
    public void A_whole_other_backup_whose_manifest_takes_this_name_is_ArchiveUnauthenticated()
    {
        using var sample = new SealedSample("tiny", encrypted: true);
        var other = Exchange(sample, "archive, index, checksum");
        File.WriteAllBytes(sample.ManifestFile, (other.Manifest! with { Archive = sample.Manifest.Archive }).ToJson());

        Expect(sample, FailureKind.ArchiveUnauthenticated, "renamed");
    }

    [Fact]
    public void An_archive_in_the_clear_does_not_pass_for_an_encrypted_one()
    {
        using var sample = new SealedSample("tiny", encrypted: true);
        using var plain = new SealedSample("tiny", encrypted: false);
        File.Copy(plain.ArchiveFile, sample.ArchiveFile, overwrite: true);
        File.Copy(plain.IndexFile, sample.IndexFile, overwrite: true);
        File.Delete(sample.ChecksumFile);
        File.WriteAllBytes(sample.ManifestFile, (plain.Manifest with { Archive = sample.Manifest.Archive }).ToJson());

        Expect(sample, FailureKind.ManifestMismatch, "at Checksum depth", Depth.Checksum);
        Expect(sample, FailureKind.ManifestMismatch, "at Archive depth");
    }

    // Another backup of the same project, and its files in the place of the sample's.
    private static BotBackup Exchange(SealedSample sample, string files)
    {
        var note = Path.Combine(sample.Place.Project, "note.txt");
        var honest = File.ReadAllBytes(note);
        sample.Place.Write("note.txt", "a lure");
        var other = sample.Place.BackUp();
        File.WriteAllBytes(note, honest);
        foreach (var file in files.Split(", "))
        {
            Func<string, string> name = file switch
            {
                "archive" => archive => archive,
                "index" => BackupFiles.Index,
                "checksum" => BackupFiles.Checksum,
                _ => BackupFiles.Manifest,
            };
            File.Copy(name(other.Location), name(sample.Backup.Location), overwrite: true);
        }

        return other;
    }

    private static void Expect(SealedSample sample, FailureKind kind, string what, Depth depth = Depth.Archive)
    {
        var result = sample.Look(depth);
        Assert.True(result.Outcome == Outcome.Failed, $"{what}: {result.Outcome}, {result.Message}");
        Assert.True(result.Failure!.Kind == kind, $"{what}: {result.Failure}");
        Assert.Equal(kind, sample.Place.Refuse(sample.Place.Reopen(sample.Backup)));
        // A selection stands on manifest and index alone, so what only the archive shows may go by; nothing false may.
        var selected = sample.Place.RunRestore(sample.Place.Reopen(sample.Backup), new() { Include = ["note.txt"] });
        if (Directory.Exists(sample.Place.Destination))
        {
            Assert.True(selected.OfType<Made>().Any() == (Workplace.Describe(sample.Place.Destination).Count > 0), $"{what}: refused, but something was written");
            if (selected.OfType<Made>().Any())
                Assert.Equal(Workplace.Describe(sample.Place.Project), Workplace.Describe(sample.Place.Destination), StringComparer.Ordinal);
            Directory.Delete(sample.Place.Destination, recursive: true);
        }
        else
        {
            Assert.Single(selected.OfType<Failed>());
        }
    }
}
