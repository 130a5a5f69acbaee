using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Updates;

/// <summary>An update of <c>$</c>-operators. One that it does not know is an error.</summary>
internal static class ModifierUpdate
{
    /// <summary>The document after the update. <paramref name="inserting"/> is true for an upsert that makes a new one.</summary>
    public static RawBson Apply(RawBson document, RawBson update, bool inserting, long now)
    {
        var changed = MutableDocument.Of(document);
        var reader = update.Read();
        while (reader.Read())
        {
            var name = reader.Current.NameText;
            if (name is "$v")
                continue;
            if (reader.Current.Type != BsonType.Document)
                throw new ServerException(ServerException.FailedToParse, $"Modifiers operate on fields but we found type {reader.Current.Type} instead.");
            ApplyOperator(changed, name, BsonValue.Within(update.Memory, reader.Current).Document, inserting, now);
        }

        return changed.ToBson();
    }

    private static void ApplyOperator(MutableDocument document, string name, RawBson fields, bool inserting, long now)
    {
        var reader = fields.Read();
        while (reader.Read())
        {
            var value = BsonValue.Within(fields.Memory, reader.Current);
            var path = Path(reader.Current.NameText);
            switch (name)
            {
                case "$set":
                    Set(document, path, value);
                    break;
                case "$setOnInsert":
                    if (inserting)
                        Set(document, path, value);
                    break;
                case "$unset":
                    Unset(document, path);
                    break;
                case "$inc" or "$mul":
                    Set(document, path, Arithmetic.Apply(name, Get(document, path), value));
                    break;
                case "$min" or "$max":
                    SetExtreme(document, path, value, name is "$min" ? -1 : 1);
                    break;
                case "$rename":
                    Rename(document, path, Path(value.AsString()));
                    break;
                case "$push":
                    ArrayUpdate.Push(Array(document, path), value);
                    break;
                case "$pull":
                    ArrayUpdate.Pull(Existing(document, path), value);
                    break;
                case "$pop":
                    ArrayUpdate.Pop(Existing(document, path), value);
                    break;
                case "$addToSet":
                    ArrayUpdate.AddToSet(Array(document, path), value);
                    break;
                case "$currentDate":
                    Set(document, path, BsonValue.CopyOf(First(new BsonBuilder().AppendDateTime("", now).ToBson())));
                    break;
                default:
                    throw new ServerException(ServerException.FailedToParse, $"Unknown modifier: {name}. Expected a valid update modifier or pipeline-style update specified as an array");
            }
        }
    }

    private static BsonElement First(RawBson document)
    {
        var reader = document.Read();
        reader.Read();
        return reader.Current;
    }

    private static byte[][] Path(string text)
    {
        var names = text.Split('.');
        if (names.Any(name => name.Length == 0))
            throw new ServerException(56, $"The update path '{text}' contains an empty field name, which is not allowed.");
        if (names.Any(name => name.StartsWith('$')))
            throw new ServerException(ServerException.NotImplemented, $"The sandbox does not know the positional operator in '{text}'.");
        return [.. names.Select(Encoding.UTF8.GetBytes)];
    }

    // The container of the path's last name; made on the way where it is asked for.
    private static MutableDocument? Parent(MutableDocument document, byte[][] path, bool make)
    {
        var at = document;
        foreach (var name in path.AsSpan(0, path.Length - 1))
        {
            if (at.Child(name) is { } child)
            {
                at = child;
                continue;
            }

            if (!make)
                return null;
            if (!at.Get(name).IsMissing)
                throw new ServerException(28, $"Cannot create field '{Encoding.UTF8.GetString(path[^1])}' in element {{{Encoding.UTF8.GetString(name)}: ...}}");
            SetIn(at, name, BsonValue.Of(RawBson.Empty));
            at = at.Child(name)!;
        }

        return at;
    }

    private static void SetIn(MutableDocument at, byte[] name, BsonValue value)
    {
        if (at.IsArray)
        {
            if (!int.TryParse(Encoding.UTF8.GetString(name), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index))
                throw new ServerException(28, $"Cannot create field '{Encoding.UTF8.GetString(name)}' in an array");
            if (index >= at.Count)
                at.Resize(index + 1);
        }

        at.Set(name, value);
    }

    private static BsonValue Get(MutableDocument document, byte[][] path) => Parent(document, path, make: false)?.Get(path[^1]) ?? BsonValue.Missing;

    private static void Set(MutableDocument document, byte[][] path, BsonValue value) => SetIn(Parent(document, path, make: true)!, path[^1], value);

    private static void Unset(MutableDocument document, byte[][] path)
    {
        if (Parent(document, path, make: false) is not { } parent)
            return;
        if (!parent.IsArray)
            parent.Remove(path[^1]);
        else if (!parent.Get(path[^1]).IsMissing)
            parent.Set(path[^1], BsonValue.Null);
    }

    private static void SetExtreme(MutableDocument document, byte[][] path, BsonValue value, int sign)
    {
        var old = Get(document, path);
        if (old.IsMissing || BsonOrder.Compare(value, old) * sign > 0)
            Set(document, path, value);
    }

    private static void Rename(MutableDocument document, byte[][] from, byte[][] to)
    {
        var value = Get(document, from);
        if (value.IsMissing)
            return;
        Unset(document, from);
        Unset(document, to);
        Set(document, to, value);
    }

    private static MutableDocument Array(MutableDocument document, byte[][] path)
    {
        if (Get(document, path).IsMissing)
            Set(document, path, new BsonValue(BsonType.Array, RawBson.Empty.Memory));
        return Existing(document, path)!;
    }

    private static MutableDocument? Existing(MutableDocument document, byte[][] path)
    {
        var parent = Parent(document, path, make: false);
        if (parent is null || parent.Get(path[^1]).IsMissing)
            return null;
        return parent.Child(path[^1]) is { IsArray: true } array ? array : throw new ServerException(ServerException.BadValue, $"The field '{Encoding.UTF8.GetString(path[^1])}' must be an array.");
    }
}
