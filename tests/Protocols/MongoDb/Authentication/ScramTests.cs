using System.Text;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Authentication;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb.Authentication;

public class ScramTests
{
    // RFC 5802, section 5; RFC 7677, section 3; MongoDB's auth specification.
    [Theory]
    [InlineData(
        ScramMechanism.ScramSha1, true, "fyko+d2lbbFgONRv9qkxdawL", "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    [InlineData(
        ScramMechanism.ScramSha1, false, "fyko+d2lbbFgONRv9qkxdawL", "r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000",
        "MC2T8BvbmWRckDw8oWl5IVghwCY=", "v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=")]
    [InlineData(
        ScramMechanism.ScramSha256, false, "rOprNGfwEbeRWgbNEkqO", "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public void The_published_exchanges_come_out(ScramMechanism mechanism, bool isPlain, string nonce, string serverFirst, string proof, string serverFinal)
    {
        var client = new ScramClient(mechanism, "user", "pencil", nonce) { Secret = isPlain ? "pencil"u8.ToArray() : null };
        Assert.Equal($"n,,n=user,r={nonce}", Encoding.UTF8.GetString(client.First()));
        Assert.EndsWith(",p=" + proof, Encoding.UTF8.GetString(client.Final(Encoding.UTF8.GetBytes(serverFirst))), StringComparison.Ordinal);
        client.Verify(Encoding.UTF8.GetBytes(serverFinal));
    }

    [Theory]
    [InlineData(ScramMechanism.ScramSha1)]
    [InlineData(ScramMechanism.ScramSha256)]
    public void Both_halves_agree_and_a_wrong_password_does_not(ScramMechanism mechanism)
    {
        var credentials = ScramCredentials.Create(mechanism, "a=b,c", "gehe\u00adim \u2168", 4096);
        var server = new ScramServer(user => string.Equals(user, "a=b,c", StringComparison.Ordinal) ? credentials : null);
        var client = new ScramClient(mechanism, "a=b,c", "gehe\u00adim \u2168");
        Assert.True(server.TryFinish(client.Final(server.First(client.First())), out var final));
        client.Verify(final);
        final[5] ^= 1;
        Assert.Equal(MongoError.LoginFailed, Assert.Throws<MongoException>(() => client.Verify(final)).Error);

        var wrong = new ScramClient(mechanism, "a=b,c", "other");
        server = new ScramServer(_ => credentials);
        Assert.False(server.TryFinish(wrong.Final(server.First(wrong.First())), out _));
        Assert.Throws<MongoException>(() => new ScramServer(_ => null).First(client.First()));
    }

    [Theory]
    [InlineData("r=other,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("r=mine,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("r=mine1,s=QSXCR+Q6sek8bf92,i=4095")]
    [InlineData("r=mine1,s=QSXCR+Q6sek8bf92,i=1000001")]
    [InlineData("r=mine1,s=QSXCR+Q6sek8bf92,i=99999999999")]
    [InlineData("r=mine1,s=,i=4096")]
    [InlineData("r=mine1,s=?,i=4096")]
    [InlineData("m=x,r=mine1,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("")]
    public void A_server_that_cheats_is_refused(string serverFirst)
    {
        var client = new ScramClient(ScramMechanism.ScramSha256, "user", "pencil", "mine");
        Assert.Equal(MongoError.LoginFailed, Assert.Throws<MongoException>(() => client.Final(Encoding.UTF8.GetBytes(serverFirst))).Error);
    }

    // RFC 4013, section 3.
    [Theory]
    [InlineData("I\u00adX", "IX")]
    [InlineData("user", "user")]
    [InlineData("USER", "USER")]
    [InlineData("\u00aa", "a")]
    [InlineData("\u2168", "IX")]
    [InlineData("a\u00a0b", "a b")]
    [InlineData("\u0007", null)]
    [InlineData("\u0627\u0031", null)]
    [InlineData("\u06271\u0628", "\u06271\u0628")]
    [InlineData("\ue000", null)]
    public void Passwords_are_prepared(string password, string? prepared)
    {
        if (prepared is null)
            Assert.Throws<MongoException>(() => SaslPrep.Apply(password));
        else
            Assert.Equal(prepared, SaslPrep.Apply(password));
    }
}
