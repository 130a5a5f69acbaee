using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Compression;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

/// <summary>Whole archives in every codec: named, proven, restored whole and in part, opened by stock tools, and refused when damaged.</summary>
public sealed class CodecArchiveTests
{
    public static TheoryData<string> Names => [.. Codecs.Names];

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void An_archive_proves_and_comes_back(string codec)
    {
        using var place = Filled(codec);
        var backup = place.Reopen(place.BackUp());

        Assert.EndsWith(".tar" + Codecs.ByName(codec).Suffix + ".gpg", backup.Key, StringComparison.Ordinal);
        Assert.Equal(codec, backup.Manifest!.Codec);
        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        place.Restore(backup);
        Assert.Equal(Workplace.Describe(place.Project), Workplace.Describe(place.Destination));
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void Single_entries_come_out_of_their_members(string codec)
    {
        using var place = Filled(codec);
        var backup = place.BackUp();
        foreach (var wanted in new[] { "a/small-17.txt", "big.txt", "noise.bin", "z" })
        {
            var restored = place.Restore(backup, new RestoreRequest { Include = [wanted], Destination = Path.Combine(place.Root, "some") });
            Assert.True(restored.Partial);
            Assert.Equal(File.ReadAllBytes(Path.Combine(place.Project, wanted)), File.ReadAllBytes(Path.Combine(place.Root, "some", wanted)));
        }
    }

    [CodecTheory("gpg", "tar", "gzip", "bzip2", "xz", "zstd")]
    [MemberData(nameof(Names))]
    public void Stock_tools_open_archive_and_index(string codec)
    {
        using var place = Filled(codec);
        var backup = place.BackUp();
        var decrypt = $"gpg --batch --quiet --pinentry-mode loopback --passphrase-file '{Path.Combine(place.Root, "passphrase-0")}' -d";
        Directory.CreateDirectory(place.Destination);

        Shell.Run("bash", "-c", $"set -o pipefail; {decrypt} '{backup.Location}' | tar x --{codec} -C '{place.Destination}'");
        Assert.Equal(Workplace.Describe(place.Project), Workplace.Describe(place.Destination));
        var lines = Shell.Run("bash", "-c", $"set -o pipefail; {decrypt} '{backup.Location}.index' | {codec} -dc").Split('\n');
        Assert.Contains("\"path\":\"big.txt\"", string.Join('\n', lines), StringComparison.Ordinal);
        Assert.Contains("\"entries\":", lines[^1], StringComparison.Ordinal);
    }

    [CodecTheory("tar", "gzip", "bzip2", "xz", "zstd")]
    [MemberData(nameof(Names))]
    public void Archives_of_tar_are_restored_and_damaged_ones_are_corrupt(string codec)
    {
        using var place = Filled(codec);
        var suffix = Codecs.ByName(codec).Suffix;
        var file = Path.Combine(place.Root, "config_20251118_030000.tar" + suffix);
        Shell.Run("bash", "-c", $"tar c --{codec} -f '{file}' -C '{place.Project}' .");
        var sound = File.ReadAllBytes(file);
        place.Restore(BackupCatalog.OpenFile(place.Local, file, default));
        Assert.Equal(Workplace.Describe(place.Project), Workplace.Describe(place.Destination));
        Directory.Delete(place.Destination, recursive: true);

        foreach (var damage in new Func<byte[], byte[]>[] { it => it[..^5], it => it[..(it.Length / 2)], it => Flipped(it, it.Length / 2), it => Flipped(it, it.Length - 1000), it => [.. it, 1, 2, 3] })
        {
            File.WriteAllBytes(file, damage(sound));
            Assert.Equal(FailureKind.ArchiveCorrupt, place.Refuse(BackupCatalog.OpenFile(place.Local, file, default)));
        }
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void Damage_of_ours_is_found_also_where_only_some_is_read(string codec)
    {
        using var place = Filled(codec, encrypted: false);
        var backup = place.BackUp();
        var sound = File.ReadAllBytes(backup.Location);
        File.WriteAllBytes(backup.Location, Flipped(sound, sound.Length / 2));

        Assert.Equal(FailureKind.ChecksumMismatch, place.Prove(backup, Depth.Archive).Failure!.Kind);
        var failure = Workplace.Failure(place.RunRestore(backup, new RestoreRequest { Include = ["*"] }));
        Assert.Equal(FailureKind.ArchiveCorrupt, failure.Kind);
    }

    [Fact]
    public void A_codec_that_is_not_here_is_said_before_anything_is_read()
    {
        using var place = Filled("gzip");
        var backup = place.BackUp();
        var manifest = backup.Location + ".manifest.json";
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"gzip\"", "\"brotli\"", StringComparison.Ordinal));
        Assert.NotEqual(Outcome.Succeeded, place.Prove(place.Reopen(backup)).Outcome);
    }

    private static byte[] Flipped(byte[] sound, int at)
    {
        byte[] damaged = [.. sound];
        damaged[at] ^= 0x10;
        return damaged;
    }

    private static Workplace Filled(string codec, bool encrypted = true)
    {
        // The lowest level is quick, and that of xz has members that are not too long to have several.
        var place = new Workplace(encrypted, compression: $"{codec} {Codecs.ByName(codec).Levels.Lowest}");
        for (var i = 0; i < 40; i++)
            place.Write($"a/small-{i}.txt", Samples.Text(100 * i, i));
        // Longer than a block of gzip and of bzip2, and of no codec a multiple.
        place.Write("big.txt", Samples.Text(5_000_001));
        place.WriteNoise("noise.bin", 5_000_001);
        place.Write("z", "the last");
        return place;
    }
}
