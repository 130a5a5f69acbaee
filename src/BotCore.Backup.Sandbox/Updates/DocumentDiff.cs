using System.Globalization;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Updates;

/// <summary>
/// The <c>$v:2</c> delta of an update: <c>{d:{field:false}, u:{field:value}, i:{field:value}, sfield:{...}}</c>, and for arrays <c>{a:true, l:length, uN:value, sN:{...}}</c>.
/// Source: mongo/src/mongo/db/update/document_diff_serialization.h.
/// </summary>
internal static class DocumentDiff
{
    private const int Deepest = 180;

    /// <summary>The delta that makes <paramref name="old"/> into <paramref name="current"/>, or null where it cannot be told so, or is no shorter than the document.</summary>
    public static RawBson? Compute(RawBson old, RawBson current)
    {
        var diff = OfDocuments(BsonValue.Of(old), BsonValue.Of(current), 0);
        return diff is { } made && made.Length < current.Length ? made : null;
    }

    /// <summary>The delta whatever its length; null only where names stand twice.</summary>
    internal static RawBson? ComputeAlways(RawBson old, RawBson current) => OfDocuments(BsonValue.Of(old), BsonValue.Of(current), 0);

    /// <summary>The document after the delta. Throws where the delta is none.</summary>
    public static RawBson Apply(RawBson document, RawBson diff)
    {
        if (ApplyFlat(document, diff) is { } flat)
            return flat;
        var changed = MutableDocument.Of(document);
        Change(changed, diff);
        return changed.ToBson();
    }

    // Most deltas change fields of the document itself: those go from bytes to bytes. Null where it is another kind.
    private static RawBson? ApplyFlat(RawBson document, RawBson diff)
    {
        ReadOnlySpan<byte> deletes = default, updates = default, inserts = default;
        var sections = diff.Read();
        while (sections.Read())
        {
            var section = sections.Current;
            if (section.Type != BsonType.Document || section.Name.Length != 1)
                return null;
            switch (section.Name[0])
            {
                case (byte)'d':
                    deletes = section.AsDocument();
                    break;
                case (byte)'u':
                    updates = section.AsDocument();
                    break;
                case (byte)'i':
                    inserts = section.AsDocument();
                    break;
                default:
                    return null;
            }
        }

        var builder = new BsonBuilder(document.Length + diff.Length);
        var reader = document.Read();
        while (reader.Read())
        {
            var field = reader.Current;
            if (!updates.IsEmpty && RawBson.TryFind(updates, field.Name, out var update))
                builder.Append(update);
            else if ((deletes.IsEmpty || !RawBson.TryFind(deletes, field.Name, out _)) && (inserts.IsEmpty || !RawBson.TryFind(inserts, field.Name, out _)))
                builder.Append(field);
        }

        AppendMissing(builder, updates, document);
        AppendMissing(builder, inserts, RawBson.Empty);
        return new RawBson(builder.Finish());
    }

    private static void AppendMissing(BsonBuilder builder, ReadOnlySpan<byte> fields, RawBson there)
    {
        if (fields.IsEmpty)
            return;
        var reader = new BsonReader(fields);
        while (reader.Read())
        {
            if (!there.Has(reader.Current.Name))
                builder.Append(reader.Current);
        }
    }

    private static RawBson? OfDocuments(BsonValue old, BsonValue current, int depth)
    {
        var before = ReadFields(old);
        var after = ReadFields(current);
        if (before is null || after is null || depth > Deepest)
            return null;
        var (deletes, updates, inserts, subs) = (new BsonBuilder(), new BsonBuilder(), new BsonBuilder(), new List<(byte[] Name, RawBson Diff)>());
        var left = 0;
        var right = 0;
        var passed = new HashSet<string>(StringComparer.Ordinal);
        while (left < before.Count && right < after.Count)
        {
            if (!string.Equals(before[left].Name, after[right].Name, StringComparison.Ordinal))
            {
                // It is gone, or stands further behind and is inserted there again.
                passed.Add(before[left++].Name);
                continue;
            }

            if (!before[left].Value.IsSameAs(after[right].Value))
                AddChange(before[left].Value, after[right], updates, subs, depth);
            left++;
            right++;
        }

        for (; left < before.Count; left++)
            passed.Add(before[left].Name);
        for (; right < after.Count; right++)
        {
            inserts.AppendRaw(after[right].Value.Type, after[right].Name, after[right].Value.Span);
            passed.Remove(after[right].Name);
        }

        foreach (var name in before.Select(field => field.Name).Where(passed.Contains))
            deletes.Append(name, value: false);
        return Join(deletes, updates, inserts, subs);
    }

    private static RawBson Join(BsonBuilder deletes, BsonBuilder updates, BsonBuilder inserts, List<(byte[] Name, RawBson Diff)> subs)
    {
        var diff = new BsonBuilder();
        foreach (var (name, section) in (ReadOnlySpan<(string, BsonBuilder)>)[("d", deletes), ("u", updates), ("i", inserts)])
        {
            var part = section.ToBson();
            if (!part.IsEmpty)
                diff.Append(name, part);
        }

        foreach (var (name, sub) in subs)
            diff.AppendRaw(BsonType.Document, [(byte)'s', .. name], sub.Span);
        return diff.ToBson();
    }

    private static void AddChange(BsonValue old, (string Name, BsonValue Value) current, BsonBuilder updates, List<(byte[] Name, RawBson Diff)> subs, int depth)
    {
        if (Sub(old, current.Value, depth) is { } sub)
            subs.Add((Encoding.UTF8.GetBytes(current.Name), sub));
        else
            updates.AppendRaw(current.Value.Type, current.Name, current.Value.Span);
    }

    // A delta of its own, where both are containers of one kind and it is the shorter way.
    private static RawBson? Sub(BsonValue old, BsonValue current, int depth)
    {
        if (!old.IsContainer || old.Type != current.Type)
            return null;
        var diff = current.Type == BsonType.Array ? OfArrays(old, current, depth + 1) : OfDocuments(old, current, depth + 1);
        return diff is { IsEmpty: false } made && made.Length < current.Bytes.Length ? made : null;
    }

    private static RawBson? OfArrays(BsonValue old, BsonValue current, int depth)
    {
        var before = Elements(old);
        var after = Elements(current);
        if (before is null || after is null || depth > Deepest)
            return null;
        var diff = new BsonBuilder().Append("a", value: true);
        if (after.Count < before.Count)
            diff.Append("l", after.Count);
        for (var i = 0; i < after.Count; i++)
        {
            var place = i.ToString(CultureInfo.InvariantCulture);
            if (i >= before.Count)
                diff.AppendRaw(after[i].Type, "u" + place, after[i].Span);
            else if (!before[i].IsSameAs(after[i]))
                AppendElement(diff, place, before[i], after[i], depth);
        }

        return diff.ToBson();
    }

    private static void AppendElement(BsonBuilder diff, string place, BsonValue old, BsonValue current, int depth)
    {
        if (Sub(old, current, depth) is { } sub)
            diff.Append("s" + place, sub);
        else
            diff.AppendRaw(current.Type, "u" + place, current.Span);
    }

    private static List<(string Name, BsonValue Value)>? ReadFields(BsonValue document)
    {
        var fields = new List<(string, BsonValue)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = document.Document.Read();
        while (reader.Read())
        {
            var name = reader.Current.NameText;
            if (!names.Add(name) || !Encoding.UTF8.GetBytes(name).AsSpan().SequenceEqual(reader.Current.Name))
                return null;
            fields.Add((name, BsonValue.Within(document.Bytes, reader.Current)));
        }

        return fields;
    }

    // Null where the elements are not named by their places: a delta would set that right unasked.
    private static List<BsonValue>? Elements(BsonValue array)
    {
        var elements = new List<BsonValue>();
        var reader = array.Document.Read();
        while (reader.Read())
        {
            if (!string.Equals(reader.Current.NameText, elements.Count.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))
                return null;
            elements.Add(BsonValue.Within(array.Bytes, reader.Current));
        }

        return elements;
    }

    private static void Change(MutableDocument document, RawBson diff)
    {
        var reader = diff.Read();
        if (document.IsArray)
        {
            ChangeArray(document, diff);
            return;
        }

        while (reader.Read())
        {
            var element = reader.Current;
            var value = BsonValue.Within(diff.Memory, element);
            if (element.NameIs("d"u8) || element.NameIs("u"u8) || element.NameIs("i"u8))
                ChangeFields(document, (char)element.Name[0], value.Document);
            else if (element.Name is [(byte)'s', ..])
                ChangeChild(document, element.Name[1..], value.Document);
            else
                throw Broken($"unknown section '{element.NameText}'");
        }
    }

    private static void ChangeFields(MutableDocument document, char section, RawBson fields)
    {
        var reader = fields.Read();
        while (reader.Read())
        {
            var name = reader.Current.Name;
            if (section != 'u')
                document.Remove(name);
            if (section == 'u')
                document.Set(name, BsonValue.Within(fields.Memory, reader.Current));
            else if (section == 'i')
                document.Append(name, BsonValue.Within(fields.Memory, reader.Current));
        }
    }

    private static void ChangeArray(MutableDocument array, RawBson diff)
    {
        var reader = diff.Read();
        reader.Read();
        while (reader.Read())
        {
            var element = reader.Current;
            if (element.NameIs("l"u8))
            {
                array.Resize(element.AsInt32());
                continue;
            }

            var kind = element.Name.IsEmpty ? 0 : element.Name[0];
            if (!int.TryParse(Encoding.UTF8.GetString(element.Name[1..]), NumberStyles.None, CultureInfo.InvariantCulture, out var index) || kind is not ((byte)'u' or (byte)'s'))
                throw Broken($"unknown section '{element.NameText}'");
            if (index >= array.Count)
                array.Resize(index + 1);
            if (kind == 'u')
                array.Set(element.Name[1..], BsonValue.Within(diff.Memory, element));
            else
                ChangeChild(array, element.Name[1..], new RawBson(BsonValue.Slice(diff.Memory, element.Value)));
        }
    }

    // Where the field is of another kind the diff is applied for a second time, and a later entry sets it: mongod makes it null, and leaves alone what is not there at all.
    private static void ChangeChild(MutableDocument parent, ReadOnlySpan<byte> name, RawBson diff)
    {
        var reader = diff.Read();
        var ofArray = reader.Read() && reader.Current.NameIs("a"u8);
        if (parent.Child(name) is { } child && child.IsArray == ofArray)
            Change(child, diff);
        else if (parent.IsArray || !parent.Get(name).IsMissing)
            parent.Set(name, BsonValue.Null);
    }

    private static ServerException Broken(string why) => new(4770500, $"The update's diff cannot be applied: {why}.");
}
