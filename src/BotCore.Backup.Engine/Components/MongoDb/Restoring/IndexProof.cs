using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Asks the server which indexes stand, rather than believe that they were built.</summary>
internal static class IndexProof
{
    // What decides which documents an index takes or refuses, or when they expire; other options servers write in ways of their own.
    private static readonly string[] Flags = ["unique", "sparse", "hidden"];
    private static readonly string[] Values = ["expireAfterSeconds", "partialFilterExpression"];

    /// <summary>Throws RestoreMismatch where an index of <paramref name="expected"/> is not on <paramref name="standing"/>, or is another one under its name.</summary>
    public static void Demand(ServerCatalog server, DumpNamespace standing, DumpNamespace name, IReadOnlyList<RawBson> expected)
    {
        var there = server.Indexes(standing).ToDictionary(NameOf, StringComparer.Ordinal);
        var missing = expected.Where(index => !there.ContainsKey(NameOf(index))).Select(NameOf).ToList();
        if (missing.Count > 0)
            throw Mismatch(name, $"{name} lacks the indexes {string.Join(", ", missing)}, which were built.");
        var others = expected.Where(index => !AreSame(IndexSpecification.Clean(index, convertLegacy: true), there[NameOf(index)])).Select(NameOf).ToList();
        if (others.Count > 0)
            throw Mismatch(name, $"The indexes {string.Join(", ", others)} of {name} are not what the backup holds.");
    }

    private static string NameOf(RawBson index) => index.FindString("name"u8) ?? "";

    private static bool AreSame(RawBson one, RawBson other) =>
        Array.TrueForAll(Flags, flag => IsSet(one, flag) == IsSet(other, flag))
        && Array.TrueForAll(Values, name => SameValue(one, other, name))
        && Keys(one).SequenceEqual(Keys(other), StringComparer.Ordinal)
        && string.Equals(LocaleOf(one), LocaleOf(other), StringComparison.Ordinal);

    private static bool IsSet(RawBson index, string name) => index.IsTrue(System.Text.Encoding.UTF8.GetBytes(name));

    private static string? LocaleOf(RawBson index) => index.FindDocument("collation"u8)?.FindString("locale"u8);

    private static bool SameValue(RawBson one, RawBson other, string name)
    {
        var utf8 = System.Text.Encoding.UTF8.GetBytes(name);
        if (!one.TryFind(utf8, out var left) || !other.TryFind(utf8, out var right))
            return one.Has(utf8) == other.Has(utf8);
        return left.IsNumber && right.IsNumber ? left.AsDouble().Equals(right.AsDouble()) : left.Value.SequenceEqual(right.Value);
    }

    // A text index's fields are in its weights; servers put them in the order they like.
    private static List<string> Keys(RawBson index)
    {
        var keys = new List<string>();
        var reader = (index.FindDocument("key"u8) ?? RawBson.Empty).Read();
        while (reader.Read())
        {
            var element = reader.Current;
            if (!element.NameIs("_fts"u8) && !element.NameIs("_ftsx"u8) && !(element.Type == BsonType.String && element.AsUtf8().SequenceEqual("text"u8)))
                keys.Add($"{element.NameText}: {ValueOf(element)}");
        }

        return keys;
    }

    private static string ValueOf(BsonElement element) => element switch
    {
        { Type: BsonType.String } => element.AsString(),
        { IsNumber: true } => element.AsDouble().ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => Convert.ToHexStringLower(element.Value),
    };

    private static BackupException Mismatch(DumpNamespace name, string message) =>
        new(FailureKind.RestoreMismatch, message, "See the server's log, and restore again.", name.ToString());
}
