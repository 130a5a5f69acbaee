using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Commands;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>
/// Users, kept in <c>admin.system.users</c> as mongod keeps them, and what they may. Roles are told apart only as far as: all rights, read, read and write. A role of the
/// user's own making gives no rights here.
/// </summary>
internal sealed class Logins(ServerState server)
{
    private static readonly Namespace Users = new("admin", "system.users");
    private static readonly string[] RootRoles = ["root", "__system"];

    public bool IsOn => server.Options.UserName is not null;

    /// <summary>Makes the users of the options. The caller holds the lock for writers.</summary>
    public void MakeUsers()
    {
        if (server.Options.UserName is not { } name)
            return;
        Add("admin", name, server.Options.Password ?? "", [("root", "admin")]);
        foreach (var user in server.Options.Users)
            Add("admin", user.Name, user.Password, user.ReadOnly.Select(database => ("read", database)));
    }

    public ScramConversation Begin(string mechanism, bool skipsEmptyExchange) => mechanism switch
    {
        "SCRAM-SHA-256" => new ScramConversation(HashAlgorithmName.SHA256, skipsEmptyExchange, (database, name) => Credential(database, name, mechanism)),
        "SCRAM-SHA-1" => new ScramConversation(HashAlgorithmName.SHA1, skipsEmptyExchange, (database, name) => Credential(database, name, mechanism)),
        _ => throw new ServerException(334, $"Unsupported mechanism '{mechanism}'"),
    };

    public bool Exists(string user) => Find(user) is not null;

    /// <summary>Throws Unauthorized where the user may not.</summary>
    public void Demand(ClientState client, Access access, string database, string command)
    {
        if (!IsOn || access == Access.Open)
            return;
        if (client.User is null)
            throw new ServerException(ServerException.Unauthorized, $"Command {command} requires authentication");
        var allowed = server.Read(() => access == Access.LoggedIn || Roles(client.User).Exists(role => Allows(role, access, database)));
        if (!allowed)
            throw new ServerException(ServerException.Unauthorized, $"not authorized on {database} to execute command {command}");
    }

    /// <summary>Whether the user may read the database. The caller holds the lock for readers.</summary>
    public bool MayRead(ClientState client, string database) => !IsOn || (client.User is { } user && Roles(user).Exists(role => Allows(role, Access.Read, database)));

    public void AppendRoles(BsonBuilder reply, ClientState client)
    {
        var place = 0;
        foreach (var (role, database) in client.User is { } user ? Roles(user) : [])
            reply.BeginDocument(place++.ToString(CultureInfo.InvariantCulture)).Append("role", role).Append("db", database).End();
    }

    /// <summary>The document that mongod would keep of the user.</summary>
    public static RawBson Document(string database, string name, string password, IEnumerable<(string Role, string Database)> roles)
    {
        var builder = new BsonBuilder().Append("_id", $"{database}.{name}");
        OplogLog.AppendUuid(builder, "userId", Guid.NewGuid());
        builder.Append("user", name).Append("db", database).BeginDocument("credentials");
        // SCRAM-SHA-1 hashes what MONGODB-CR did: MD5 of name and password.
#pragma warning disable CA5351 // The protocol asks for it.
        var digest = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"{name}:mongo:{password}")));
#pragma warning restore CA5351
        AppendCredential(builder, "SCRAM-SHA-1", HashAlgorithmName.SHA1, digest, 10000, 16);
        AppendCredential(builder, "SCRAM-SHA-256", HashAlgorithmName.SHA256, password.Normalize(NormalizationForm.FormKC), 15000, 28);
        builder.End().BeginArray("roles");
        var place = 0;
        foreach (var (role, on) in roles)
            builder.BeginDocument(place++.ToString(CultureInfo.InvariantCulture)).Append("role", role).Append("db", on).End();
        return builder.End().ToBson();
    }

    private static void AppendCredential(BsonBuilder builder, string mechanism, HashAlgorithmName hash, string password, int iterations, int saltLength)
    {
        var salt = RandomNumberGenerator.GetBytes(saltLength);
        var length = hash == HashAlgorithmName.SHA1 ? 20 : 32;
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, hash, length);
        var stored = CryptographicOperations.HashData(hash, CryptographicOperations.HmacData(hash, salted, "Client Key"u8));
        builder.BeginDocument(mechanism).Append("iterationCount", iterations).Append("salt", Convert.ToBase64String(salt))
            .Append("storedKey", Convert.ToBase64String(stored)).Append("serverKey", Convert.ToBase64String(CryptographicOperations.HmacData(hash, salted, "Server Key"u8))).End();
    }

    private static bool Allows((string Role, string Database) role, Access access, string database)
    {
        if (RootRoles.Contains(role.Role, StringComparer.Ordinal))
            return true;
        var here = string.Equals(role.Database, database, StringComparison.Ordinal);
        return role.Role switch
        {
            "read" => here && access == Access.Read,
            "readWrite" or "dbOwner" => here && access is Access.Read or Access.Write,
            "readAnyDatabase" or "backup" => access == Access.Read,
            "readWriteAnyDatabase" or "restore" => access is Access.Read or Access.Write,
            _ => false,
        };
    }

    private void Add(string database, string name, string password, IEnumerable<(string, string)> roles) =>
        new DirectWrites(server).Insert(server.Catalog.Demand(Users), Document(database, name, password, roles), 0);

    private RawBson? Find(string id)
    {
        if (server.Store.Find(Users) is not { } users || !users.TryFind(BsonValue.CopyOf(FirstOf(new BsonBuilder().Append("_id", id).ToBson())), out var number))
            return null;
        return new RawBson(users.Records[number]);
    }

    private static BsonElement FirstOf(RawBson document)
    {
        var reader = document.Read();
        reader.Read();
        return reader.Current;
    }

    private ScramCredential? Credential(string database, string name, string mechanism)
    {
        if (Find($"{database}.{name}")?.FindDocument("credentials"u8)?.FindDocument(Encoding.ASCII.GetBytes(mechanism)) is not { } stored)
            return null;
        return new ScramCredential(
            (int)(stored.FindInt64("iterationCount"u8) ?? 0),
            Convert.FromBase64String(stored.FindString("salt"u8) ?? ""),
            Convert.FromBase64String(stored.FindString("storedKey"u8) ?? ""),
            Convert.FromBase64String(stored.FindString("serverKey"u8) ?? ""));
    }

    private List<(string Role, string Database)> Roles(string user)
    {
        var roles = new List<(string, string)>();
        if (Find(user)?.FindDocument("roles"u8) is not { } given)
            return roles;
        foreach (var role in CommandContext.Elements(given))
            roles.Add((role.FindString("role"u8) ?? "", role.FindString("db"u8) ?? ""));
        return roles;
    }
}
