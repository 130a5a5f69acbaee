using System.Net;
using System.Net.Sockets;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb;

/// <summary>Puts what a MongoDB server or the way to it refused into failures. No text holds a secret: the client's never do, and URIs are shown redacted.</summary>
internal static class MongoFailures
{
    /// <summary>What to throw in place of <paramref name="wrong"/>.</summary>
    /// <param name="wrong">The client's exception.</param>
    /// <param name="server">The server for people, redacted.</param>
    /// <param name="doing">Completes "while ...": <c>reading bot_core.trades</c>.</param>
    /// <param name="container">MONGO_CONTAINER, where it is set.</param>
    public static BackupException ToFailure(MongoException wrong, string server, string doing, string? container = null)
    {
        var said = wrong.Message.TrimEnd('.');
        var (kind, message, advice) = wrong.Error switch
        {
            MongoError.InvalidConnectionString => (
                FailureKind.ConfigurationInvalid, $"The connection string {server} cannot be used: {said}.", "Correct DATABASE_URL, or what was given as -Destination."),
            MongoError.LoginFailed => (
                FailureKind.LoginFailed, $"MongoDB at {server} refused the login: {said}.", "Check user, password and authSource; a password must be percent-encoded in the URI."),
            MongoError.AccessDenied => (
                FailureKind.AccessDenied, $"MongoDB at {server} refused access while {doing}: {said}.", "Give the user the roles 'backup' to back up and 'restore' to restore, in the database 'admin'."),
            MongoError.CertificateRejected => (
                FailureKind.CertificateRejected, $"The certificate of MongoDB at {server} is not trusted: {said}.", "Name the authority's certificate with tlsCAFile=, and the server as its certificate has it."),
            MongoError.Unreachable => Unreachable(server, said, container),
            MongoError.NoSuitableServer => (
                FailureKind.SourceUnreachable, $"No server at {server} is fit for this: {said}.", "See with rs.status() whether the replica set has a primary, and check readPreference and replicaSet in the URI."),
            MongoError.Unsupported => (
                FailureKind.ServerUnsupported, $"MongoDB at {server} is not supported: {said}.", "MongoDB 4.2 is the oldest that is."),
            MongoError.ConnectionLost or MongoError.CursorLost => (
                FailureKind.SourceUnreachable, $"The connection to MongoDB at {server} was lost while {doing}: {said}.", "Nothing of it was kept; run again when the server answers."),
            _ => (
                FailureKind.SourceUnreachable, $"MongoDB at {server} failed while {doing}: {said}.", "See the server's log for the reason, and run again."),
        };
        return new BackupException(kind, message, advice, server, wrong);
    }

    private static (FailureKind Kind, string Message, string Advice) Unreachable(string server, string said, string? container)
    {
        if (container is not null && FirstHost(server) is { } host && !Resolves(host))
        {
            return (
                FailureKind.SourceUnreachable,
                $"DATABASE_URL names the host '{host}', which cannot be resolved from here; MONGO_CONTAINER is '{container}', so that is most likely a name inside a Docker network.",
                $"Publish the container's port (ports: 127.0.0.1:27017:27017) and use 127.0.0.1 with directConnection=true in DATABASE_URL, or run this where '{host}' resolves.");
        }

        return (FailureKind.SourceUnreachable, $"MongoDB at {server} cannot be reached: {said}.", "Check that it runs, and host, port, firewall and TLS in the URI.");
    }

    private static string? FirstHost(string server)
    {
        var text = SecretUri.Redact(server);
        var hosts = text.AsSpan(text.IndexOf("://", StringComparison.Ordinal) + 3);
        if (hosts.IndexOfAny('/', '?') is var whole && whole >= 0)
            hosts = hosts[..whole];
        hosts = hosts[(hosts.LastIndexOf('@') + 1)..];
        if (hosts.IndexOfAny(':', ',') is var end && end >= 0)
            hosts = hosts[..end];
        return hosts.IsEmpty || hosts[0] == '[' ? null : hosts.ToString();
    }

    private static bool Resolves(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host).Length > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
