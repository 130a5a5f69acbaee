using System.Text;
using BotCore.Backup.Protocols.GoogleStorage;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.GoogleStorage;

public sealed class ErrorBodyTests
{
    [Theory]
    [InlineData("""{"error":{"code":403,"message":"No access.","errors":[{"domain":"global","reason":"forbidden","message":"No access."}]}}""", "No access.", "forbidden")]
    [InlineData("""{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED"}}""", "Slow down", "RESOURCE_EXHAUSTED")]
    [InlineData("""{"error":"invalid_grant","error_description":"Invalid JWT Signature."}""", "Invalid JWT Signature.", "invalid_grant")]
    [InlineData("""{"error":"invalid_client"}""", "", "invalid_client")]
    [InlineData("""{"error":{"errors":[7,{"reason":8},{"reason":"last"}],"message":9}}""", "", "last")]
    [InlineData("""{"error":null}""", "", null)]
    [InlineData("""{"other":1}""", """{"other":1}""", null)]
    [InlineData("<html><body>\n<h1>Bad\tGateway</h1></body>", "Bad Gateway", null)]
    [InlineData("No such object: b/o", "No such object: b/o", null)]
    [InlineData("", "", null)]
    public void All_forms_are_read(string body, string message, string? reason) => Assert.Equal(new ErrorBody(message, reason), ErrorBody.Parse(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("The token ya29.a0AfH6-_x.y is bad")]
    [InlineData("The assertion eyJhbGciOi.eyJpc3M.c2lnbmF0dXJl is bad")]
    [InlineData("The refresh token 1//0gAbC-dEf is bad")]
    [InlineData("https://x/upload?uploadType=resumable&upload_id=ADPycdv_1-2&z=1 is bad")]
    public void Secrets_are_cut_out(string text)
    {
        var message = ErrorBody.Parse(Encoding.UTF8.GetBytes(text)).Message;
        Assert.EndsWith(" is bad", message, StringComparison.Ordinal);
        Assert.Contains('…', message);
        foreach (var secret in new[] { "a0AfH6", "hbGci", "c2lnb", "0gAbC", "ADPycdv" })
            Assert.DoesNotContain(secret, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bodies_at_random_never_crash_and_stay_on_one_short_line() => Prop.ForAll<byte[], string?>((bytes, text) =>
    {
        byte[][] bodies = [bytes, Encoding.UTF8.GetBytes(text ?? ""), [.. "{\"error\":"u8, .. bytes, .. "}"u8], [.. "{\"error\":{\"message\":\""u8, .. bytes, .. "\"}}"u8], Encoding.UTF8.GetBytes(new string('x', 5000) + text)];
        return bodies.Select(body => ErrorBody.Parse(body).Message).All(message => message.Length <= 301 && !message.AsSpan().ContainsAny('\r', '\n', '\0'));
    }).QuickCheckThrowOnFailure();
}
