using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Updates;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary><c>$group</c> by a field or a constant, with <c>$sum</c>, <c>$min</c>, <c>$max</c> and <c>$first</c>.</summary>
internal sealed class Grouping
{
    private readonly BsonValue _id;
    private readonly List<(string Name, string Operator, BsonValue Operand)> _columns = [];

    public Grouping(RawBson stage)
    {
        if (!stage.TryFind("_id"u8, out var id))
            throw new ServerException(15955, "a group specification must include an _id");
        _id = BsonValue.Within(stage.Memory, id);
        var reader = stage.Read();
        while (reader.Read())
        {
            if (reader.Current.NameIs("_id"u8))
                continue;
            var column = BsonValue.Within(stage.Memory, reader.Current).Document.Read();
            column.Read();
            var name = column.Current.NameText;
            if (name is not ("$sum" or "$min" or "$max" or "$first"))
                throw new ServerException(15952, $"unknown group operator '{name}'");
            _columns.Add((reader.Current.NameText, name, BsonValue.CopyOf(column.Current)));
        }
    }

    public IEnumerable<ReadOnlyMemory<byte>> Run(IEnumerable<ReadOnlyMemory<byte>> documents)
    {
        var groups = new Dictionary<ValueKey, (BsonValue Id, BsonValue[] Values)>();
        foreach (var document in documents)
        {
            var id = Evaluate(_id, document);
            if (id.IsMissing)
                id = BsonValue.Null;
            var key = ValueKey.Of(id);
            if (!groups.TryGetValue(key, out var group))
                groups[key] = group = (id, new BsonValue[_columns.Count]);
            for (var i = 0; i < _columns.Count; i++)
                group.Values[i] = Add(_columns[i].Operator, group.Values[i], Evaluate(_columns[i].Operand, document));
        }

        return groups.Values.Select(group => Document(group.Id, group.Values).Memory);
    }

    private static BsonValue Evaluate(BsonValue expression, ReadOnlyMemory<byte> document)
    {
        if (expression.Type == BsonType.Document && !expression.Document.IsEmpty)
            throw new ServerException(ServerException.NotImplemented, "The sandbox groups by fields and constants only.");
        if (expression.Type != BsonType.String || expression.AsString() is not ['$', .. var path])
            return expression;
        return new BsonPath(path).Find(document);
    }

    private static BsonValue Add(string name, BsonValue sum, BsonValue value) => name switch
    {
        "$sum" => value.IsNumber ? Arithmetic.Apply("$inc", sum, value) : sum.IsMissing ? BsonValue.Of(0) : sum,
        "$first" => sum.IsMissing ? value.IsMissing ? BsonValue.Null : value : sum,
        _ when value.IsMissing || value.Type == BsonType.Null => sum,
        _ when sum.IsMissing => value,
        _ => BsonOrder.Compare(value, sum) * (name is "$min" ? -1 : 1) > 0 ? value : sum,
    };

    private RawBson Document(BsonValue id, BsonValue[] values)
    {
        var builder = new BsonBuilder().AppendRaw(id.Type, "_id", id.Span);
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i].IsMissing ? BsonValue.Null : values[i];
            builder.AppendRaw(value.Type, _columns[i].Name, value.Span);
        }

        return builder.ToBson();
    }
}
