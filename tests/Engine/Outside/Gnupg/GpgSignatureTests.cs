using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Gnupg;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Outside.Gnupg;

public sealed class GpgSignatureTests(GnupgHome home) : IClassFixture<GnupgHome>
{
    private static readonly byte[] Data = "{\"format\":1}"u8.ToArray();

    [ToolFact("gpg")]
    public void A_signature_names_its_signer_here_and_for_gpg()
    {
        var signature = home.Program.Sign(Data, home.Alice);
        var folder = home.NewHome();
        File.WriteAllBytes(System.IO.Path.Combine(folder, "s"), signature);

        Assert.Equal(home.Alice, home.Program.Verify(Data, signature));
        Assert.Equal(home.Alice, home.PublicProgram.Verify(Data, signature));
        GnupgHome.Gpg(home.Public, Data, "--verify", System.IO.Path.Combine(folder, "s"), "-");
        Assert.NotEqual((byte)'-', signature[0]);
    }

    [ToolFact("gpg")]
    public void What_does_not_fit_is_not_authenticated()
    {
        var signature = home.Program.Sign(Data, "alice@x.test");
        var changed = (byte[])Data.Clone();
        changed[0] ^= 1;

        Assert.Contains("changed", Unauthenticated(home.Program, changed, signature).Message, StringComparison.Ordinal);
        Unauthenticated(home.Program, Data, []);
        Unauthenticated(home.Program, Data, signature[..^3]);
        Unauthenticated(home.Program, Data, GnupgHome.Gpg(home.Path, Data, "--store"));
        Unauthenticated(home.Program, changed, (byte[])[.. signature, .. home.Program.Sign(changed, home.Alice)]);
        // A good one before a bad one must not carry it.
        Unauthenticated(home.Program, Data, (byte[])[.. signature, .. home.Program.Sign(changed, home.Alice)]);
        Assert.Contains("not known here", Unauthenticated(GpgProgram.Find(home.NewHome()), Data, signature).Message, StringComparison.Ordinal);
    }

    [ToolFact("gpg")]
    public void A_key_that_has_expired_since_still_speaks_and_a_revoked_one_does_not()
    {
        var old = GnupgHome.Gpg(home.Path, Data, "--faked-system-time", "20200101T120000", "--local-user", home.Old, "--detach-sign", "--output", "-");
        Assert.Equal(home.Old, home.Program.Verify(Data, old));

        var another = new GnupgHome();
        try
        {
            var signature = another.Program.Sign(Data, another.Alice);
            var certificate = System.IO.Path.Combine(another.Path, "openpgp-revocs.d", another.Alice + ".rev");
            File.WriteAllText(certificate, File.ReadAllText(certificate).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal));
            GnupgHome.Gpg(another.Path, null, "--import", certificate);
            Assert.Contains("revoked", Unauthenticated(another.Program, Data, signature).Message, StringComparison.Ordinal);
        }
        finally
        {
            another.Dispose();
        }
    }

    [ToolFact("gpg")]
    public void A_key_that_cannot_sign_is_a_missing_credential()
    {
        foreach (var (program, key) in new[] { (home.Program, "nobody@x.test"), (home.Program, home.Old), (home.Program, home.Revoked), (home.PublicProgram, home.Alice) })
        {
            var failure = Assert.Throws<BackupException>(() => program.Sign(Data, key)).Failure;
            Assert.Equal((FailureKind.CredentialsMissing, key), (failure.Kind, failure.Target));
        }
    }

    [ToolFact("gpg")]
    public void A_cancelled_token_stops_it() =>
        Assert.ThrowsAny<OperationCanceledException>(() => home.Program.Sign(Data, home.Alice, new CancellationToken(canceled: true)));

    private static Failure Unauthenticated(GpgProgram program, byte[] data, byte[] signature)
    {
        var failure = Assert.Throws<BackupException>(() => program.Verify(data, signature)).Failure;
        Assert.Equal(FailureKind.ArchiveUnauthenticated, failure.Kind);
        return failure;
    }
}
