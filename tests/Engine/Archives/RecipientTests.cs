using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Outside.Gnupg;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

/// <summary>Archives encrypted to public keys: sealed without a secret, opened with one, the manifest signed or not.</summary>
public sealed class RecipientTests(GnupgHome home) : IClassFixture<GnupgHome>
{
    [ToolFact("gpg")]
    public void A_host_with_public_keys_only_seals_what_the_owner_of_the_secret_key_opens()
    {
        using var place = new Workplace();
        var backup = Seal(place, signKey: null);
        using var owner = new ArchiveKeys(() => null, () => home.Program);
        using var host = new ArchiveKeys(() => null, () => home.PublicProgram);

        var proof = Prove(backup, owner);
        Assert.Equal((Outcome.Succeeded, false), (proof.Outcome, proof.Proof.Authenticated));
        Assert.Equal(3, proof.Entries);
        Assert.Equal(Outcome.Failed, Prove(backup, host).Outcome);
    }

    [ToolFact("gpg")]
    public void A_signed_manifest_is_authenticated_and_an_edited_one_is_not()
    {
        using var place = new Workplace();
        var backup = Seal(place, home.Alice);
        using var owner = new ArchiveKeys(() => null, () => home.Program);

        Assert.True(Prove(backup, owner).Proof.Authenticated);
        var forged = backup with { Manifest = backup.Manifest! with { Name = "other" } };
        Assert.Equal(FailureKind.ArchiveUnauthenticated, Prove(forged, owner).Failure!.Kind);
    }

    [ToolFact("gpg")]
    public void Damage_is_found()
    {
        using var place = new Workplace();
        var backup = Seal(place, signKey: null);
        using var owner = new ArchiveKeys(() => null, () => home.Program);
        var whole = File.ReadAllBytes(backup.Location);
        foreach (var position in new[] { 0, 20, whole.Length / 2, whole.Length - 1 })
        {
            var bytes = whole.ToArray();
            bytes[position] ^= 0x55;
            File.WriteAllBytes(backup.Location, bytes);
            Assert.Equal(FailureKind.ChecksumMismatch, Prove(backup, owner).Failure!.Kind);
        }

        File.WriteAllBytes(backup.Location, whole[..^30]);
        Assert.Equal(FailureKind.ArchiveCorrupt, Prove(backup, owner).Failure!.Kind);
    }

    private BotBackup Seal(Workplace place, string? signKey)
    {
        // To seal takes public keys; to sign takes a secret one.
        var gpg = signKey is null ? home.PublicProgram : home.Program;
        var maker = new ArchiveMaker(place.Local, new CodecChoice(Codecs.Gzip, 6, 2), () => new RecipientCipher(gpg, [home.Alice], signKey), TimeProvider.System, _ => { });
        var source = new StubSource(StubSource.Root, StubEntry.File("a", "1"), StubEntry.File("b", new byte[50_000]));
        return maker.Make(new ArchiveJob(Component.Config, "config", BackupType.Full, (_, _) => source, new EntryPath(place.Project), 0), "run", Workplace.None);
    }

    private static BotBackupVerification Prove(BotBackup backup, ArchiveKeys keys) => new ArchiveProver(keys, 2).Prove(backup, Depth.Archive, NoVisitor.Instance, _ => { }, Workplace.None);
}
