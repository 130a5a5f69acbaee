using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Users and roles: documents of <c>admin.system.users</c> and <c>admin.system.roles</c>.</summary>
internal static class UserCommands
{
    private const int UserNotFound = 11;
    private const int AlreadyThere = 51003;
    private static readonly Namespace Users = new("admin", "system.users");
    private static readonly Namespace Roles = new("admin", "system.roles");

    public static IEnumerable<CommandSpec> All =>
    [
        new("usersInfo", Access.LoggedIn, Locking.Shared, context => Info(context, Users, "users", "user"), "showCredentials", "showPrivileges", "showCustomData", "filter"),
        new("rolesInfo", Access.LoggedIn, Locking.Shared, context => Info(context, Roles, "roles", "role"), "showPrivileges", "showBuiltinRoles", "showAuthenticationRestrictions"),
        new("createUser", Access.Root, Locking.Exclusive, CreateUser, "pwd", "roles", "customData", "mechanisms", "digestPassword"),
        new("createRole", Access.Root, Locking.Exclusive, CreateRole, "privileges", "roles"),
        new("dropUser", Access.Root, Locking.Exclusive, context => Remove(context, Users, UserNotFound)),
        new("dropRole", Access.Root, Locking.Exclusive, context => Remove(context, Roles, 31)),
        new("_mergeAuthzCollections", Access.Root, Locking.Exclusive, Merge, "tempUsersCollection", "tempRolesCollection", "drop", "db"),
    ];

    private static void CreateUser(CommandContext context)
    {
        var password = context.Command.FindString("pwd"u8) ?? throw new ServerException(ServerException.BadValue, "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db");
        Add(context, Users, Logins.Document(context.Database, context.Argument, password, RolesOf(context)));
    }

    private static void CreateRole(CommandContext context)
    {
        var role = new BsonBuilder().Append("_id", $"{context.Database}.{context.Argument}").Append("role", context.Argument).Append("db", context.Database)
            .AppendArray("privileges", (context.Command.FindDocument("privileges"u8) ?? RawBson.Empty).Span).BeginArray("roles");
        var place = 0;
        foreach (var (name, database) in RolesOf(context))
            role.BeginDocument(place++.ToString(CultureInfo.InvariantCulture)).Append("role", name).Append("db", database).End();
        Add(context, Roles, role.End().ToBson());
    }

    private static List<(string Role, string Database)> RolesOf(CommandContext context)
    {
        var roles = new List<(string, string)>();
        var given = context.Command.FindDocument("roles"u8) ?? throw new ServerException(40414, $"BSON field '{context.Name}.roles' is missing but a required field");
        foreach (var role in ValueTests.Elements(new BsonValue(BsonType.Array, given.Memory)))
            roles.Add(role.Type == BsonType.String ? (role.AsString(), context.Database) : (role.Document.FindString("role"u8) ?? "", role.Document.FindString("db"u8) ?? ""));
        return roles;
    }

    private static void Add(CommandContext context, Namespace ns, RawBson document)
    {
        try
        {
            new DirectWrites(context.Server).Insert(context.Server.Catalog.Demand(ns), document, 0);
        }
        catch (DuplicateKeyException)
        {
            throw new ServerException(AlreadyThere, $"\"{context.Argument}@{context.Database}\" already exists");
        }
    }

    private static void Remove(CommandContext context, Namespace ns, int missing)
    {
        var filter = Filter.Parse(new BsonBuilder().Append("_id", $"{context.Database}.{context.Argument}").ToBson());
        var writes = new DirectWrites(context.Server);
        if (context.Server.Store.Find(ns) is not { } collection || writes.Find(collection, filter) is not [var old])
            throw new ServerException(missing, $"\"{context.Argument}@{context.Database}\" not found");
        writes.Delete(collection, old, 0);
    }

    private static void Info(CommandContext context, Namespace ns, string answer, string nameField)
    {
        context.Command.TryFind(System.Text.Encoding.UTF8.GetBytes(context.Name), out var wanted);
        var query = new BsonBuilder();
        if (wanted.Type == BsonType.String)
            query.Append("_id", $"{context.Database}.{wanted.AsString()}");
        else if (wanted.Type == BsonType.Document)
            Named(new RawBson(wanted.Value.ToArray()), nameField, query);
        else if (wanted.IsNumber)
            query.Append("db", context.Database);
        else
            throw new ServerException(ServerException.NotImplemented, $"The sandbox does not know this form of {context.Name}.");
        var filter = Filter.Parse(query.ToBson());
        var withCredentials = context.Command.IsTrue("showCredentials"u8);
        context.Reply.BeginArray(answer);
        var place = 0;
        foreach (var (_, document) in context.Server.Store.Find(ns) is { } collection ? Scan.Records(collection, filter) : [])
            Append(context.Reply, (place++).ToString(CultureInfo.InvariantCulture), new RawBson(document), withCredentials);
        context.Reply.End();
    }

    private static void Named(RawBson wanted, string nameField, BsonBuilder query)
    {
        if (!wanted.IsTrue("forAllDBs"u8))
            query.Append("_id", $"{wanted.FindString("db"u8)}.{wanted.FindString(System.Text.Encoding.UTF8.GetBytes(nameField))}");
    }

    private static void Append(BsonBuilder reply, string place, RawBson document, bool withCredentials)
    {
        reply.BeginDocument(place);
        var reader = document.Read();
        while (reader.Read())
        {
            if (withCredentials || !reader.Current.NameIs("credentials"u8))
                reply.Append(reader.Current);
        }

        reply.End();
    }

    private static void Merge(CommandContext context)
    {
        var drop = context.Command.IsTrue("drop"u8);
        var database = context.Command.FindString("db"u8) ?? "";
        Merge(context.Server, context.Command.FindString("tempUsersCollection"u8), Users, drop, database);
        Merge(context.Server, context.Command.FindString("tempRolesCollection"u8), Roles, drop, database);
    }

    // Those of one database, or of all; with drop, what is not in the temporary collection goes.
    private static void Merge(ServerState server, string? from, Namespace to, bool drop, string database)
    {
        if (from is not { Length: > 0 } name)
            return;
        var source = server.Store.Find(Namespace.Parse(name)) ?? throw new ServerException(ServerException.NamespaceNotFound, $"ns does not exist: {name}");
        var target = server.Catalog.Demand(to);
        var filter = database.Length == 0 ? Filter.All : Filter.Parse(new BsonBuilder().Append("db", database).ToBson());
        var writes = new DirectWrites(server);
        foreach (var document in writes.Find(source, filter))
        {
            var id = IdOrder.IdOf(document.Bytes);
            if (target.TryFind(id, out var number))
                writes.Update(target, new StoredDocument(number, target.Records[number]), new RawBson(document.Bytes), new RawBson(document.Bytes), 0);
            else
                writes.Insert(target, new RawBson(document.Bytes), 0);
        }

        foreach (var old in drop ? writes.Find(target, filter) : [])
        {
            if (!source.TryFind(IdOrder.IdOf(old.Bytes), out _))
                writes.Delete(target, old, 0);
        }
    }
}
