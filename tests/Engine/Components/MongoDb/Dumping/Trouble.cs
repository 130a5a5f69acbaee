using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>A Sandbox on which a test acts at a moment of its choosing: when a command on a collection comes. Acting itself causes no further acts.</summary>
internal sealed class Trouble : IDisposable
{
    private Func<string, string, SandboxFault?>? _act;

    public Trouble(SandboxOptions? options = null) => Mongo = new MongoPlatform((options ?? new SandboxOptions()) with { Fault = (command, space, _) => Volatile.Read(ref _act)?.Invoke(command, space) });

    public MongoPlatform Mongo { get; }

    public SandboxFault CutOff { get; } = new(SandboxFaultKind.CloseConnection);

    /// <summary>Asked before every command from now on.</summary>
    public void Always(Func<string, string, SandboxFault?>? act) => Volatile.Write(ref _act, act);

    /// <summary>Acts once, before <paramref name="command"/> on <paramref name="collection"/> is carried out.</summary>
    public void Once(string command, string collection, Func<SandboxFault?> act)
    {
        var done = 0;
        Always((name, space) => string.Equals(name, command, StringComparison.Ordinal) && space.EndsWith("." + collection, StringComparison.Ordinal) && Interlocked.Exchange(ref done, 1) == 0 ? act() : null);
    }

    public static IEnumerable<RawBson> Numbered(int count, string text = "t", int size = 100) =>
        Enumerable.Range(0, count).Select(number => new BsonBuilder().Append("_id", number).Append("text", text + new string('x', size)).ToBson());

    public void Rename(string from, string to) => Mongo.Client.Run("admin", new BsonBuilder().Append("renameCollection", $"{Mongo.Database}.{from}").Append("to", $"{Mongo.Database}.{to}"), default);

    public void Drop(string collection) => Mongo.Run(new BsonBuilder().Append("drop", collection));

    public void Index(string collection, string field) => Mongo.Run(
        new BsonBuilder().Append("createIndexes", collection).BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append(field, 1).End().Append("name", "by_" + field).End().End());

    /// <summary>Names of a collection's indexes.</summary>
    public string Indexes(string collection, string? database = null)
    {
        var names = new List<string>();
        using var cursor = Mongo.Client.Open(database ?? Mongo.Database, new BsonBuilder().Append("listIndexes", collection), new Protocols.MongoDb.CursorOptions(), default);
        while (cursor.Next() == Protocols.MongoDb.CursorStep.Document)
            names.Add(new RawBson(cursor.Current.ToArray()).FindString("name"u8)!);
        return string.Join(' ', names.Order(StringComparer.Ordinal));
    }

    public void Dispose()
    {
        Always(null);
        Mongo.Dispose();
    }
}
