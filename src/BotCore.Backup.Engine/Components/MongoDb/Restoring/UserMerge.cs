using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>
/// Merges users and roles: those of the dump are added or replaced, no other is removed, and the user who runs the restore stays as he is. The server does it from two
/// working collections (<c>_mergeAuthzCollections</c>), as for mongorestore. One thread.
/// </summary>
internal sealed class UserMerge(MongoClient client, IDumpSource source, IReadOnlyList<DumpNamespace> files, StagingNames names, Action<BackupEvent> tell)
{
    private readonly DumpNamespace _users = names.Staged(new DumpNamespace("admin", "users"));
    private readonly DumpNamespace _roles = names.Staged(new DumpNamespace("admin", "roles"));

    public void Run(CancellationToken token)
    {
        var maker = new CollectionMaker(client, token);
        var taken = new UserVisitor(files, OwnUsers(token));
        source.Read(taken, files.Contains, oplog: false, _ => { }, token);
        if (taken.Users.Count + taken.Roles.Count == 0)
            return;
        try
        {
            Fill(_users, taken.Users, maker, token);
            Fill(_roles, taken.Roles, maker, token);
            var merge = new BsonBuilder().Append("_mergeAuthzCollections", 1).Append("tempUsersCollection", _users.ToString()).Append("tempRolesCollection", _roles.ToString())
                .Append("drop", value: false).Append("db", DatabaseOf()).BeginDocument("writeConcern").Append("w", "majority").End();
            client.Run("admin", merge, token);
            tell(new Said($"{taken.Users.Count} users and {taken.Roles.Count} roles were merged; the user of this restore was left as he is."));
        }
        finally
        {
            Drop(_users);
            Drop(_roles);
        }
    }

    // Empty means all databases.
    private string DatabaseOf() => files.All(file => string.Equals(file.Database, files[0].Database, StringComparison.Ordinal)) && files[0].Collection[0] == '$' ? files[0].Database : "";

    // They hold password hashes, so they go whatever happens; but their going must not hide what did.
    private void Drop(DumpNamespace name)
    {
        try
        {
            new CollectionMaker(client, CancellationToken.None).Drop(name);
        }
        catch (MongoException wrong)
        {
            tell(new Warned($"The working collection {name} holds users and could not be dropped ({wrong.Message.TrimEnd('.')}); drop it by hand."));
        }
    }

    private void Fill(DumpNamespace name, List<byte[]> documents, CollectionMaker maker, CancellationToken token)
    {
        maker.Create(name, new CollectionMetadata { Type = CollectionMetadata.Collection });
        using var loader = new DocumentLoader(client, 1, token);
        foreach (var document in documents)
            loader.Add(name, ordered: false, document);
        loader.Complete();
        if (loader.RefusedCount > 0)
            throw new BackupException(FailureKind.RestoreFailed, $"The server refused {loader.RefusedCount} users or roles: {loader.Refused[0].Reason}", "Restore them by hand, or leave them out with -Exclude admin.", "admin");
    }

    private HashSet<string> OwnUsers(CancellationToken token)
    {
        var own = new HashSet<string>(StringComparer.Ordinal);
        var status = client.Run("admin", new BsonBuilder().Append("connectionStatus", 1), token);
        if (status.FindDocument("authInfo"u8)?.FindDocument("authenticatedUsers"u8) is not { } users)
            return own;
        var reader = users.Read();
        while (reader.Read())
        {
            var user = new RawBson(reader.Current.AsDocument().ToArray());
            own.Add($"{user.FindString("db"u8)}.{user.FindString("user"u8)}");
        }

        return own;
    }

    private sealed class UserVisitor(IReadOnlyList<DumpNamespace> files, HashSet<string> own) : IDumpVisitor
    {
        public List<byte[]> Users { get; } = [];

        public List<byte[]> Roles { get; } = [];

        public void Versions(DumpVersions versions)
        {
            // Known from the survey.
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
        {
            // The server has its own.
        }

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
        {
            if (!files.Contains(collection) || (RawBson.TryFind(bson, "_id"u8, out var id) && id.Type == BsonType.String && own.Contains(id.AsString())))
                return;
            (collection.Collection.EndsWith("users", StringComparison.Ordinal) ? Users : Roles).Add(bson.ToArray());
        }

        public void End(DumpNamespace collection)
        {
            // Nothing is held back.
        }

        public void Oplog(ReadOnlySpan<byte> entry)
        {
            // No users in it that are restored.
        }

        public void Other(string path)
        {
            // No part of the dump.
        }
    }
}
