using System.Text;
using System.Text.RegularExpressions;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>Tests of one value, as the operators make them. A missing value is asked too.</summary>
internal static class ValueTests
{
    private static readonly TimeSpan RegexTime = TimeSpan.FromSeconds(5);

    public static Predicate<BsonValue> Equal(BsonValue operand)
    {
        if (operand.Type == BsonType.Null)
            return value => value.IsMissing || value.Type is BsonType.Null or BsonType.Undefined;
        if (operand.Type == BsonType.Undefined)
            throw new ServerException(ServerException.BadValue, "cannot compare to undefined");
        return value => !value.IsMissing && BsonOrder.Compare(value, operand) == 0;
    }

    /// <summary>Only values of the operand's own kind compare, save with MinKey and MaxKey, which compare with all.</summary>
    public static Predicate<BsonValue> Compare(string name, BsonValue operand)
    {
        Predicate<int> holds = name switch
        {
            "$gt" => order => order > 0,
            "$gte" => order => order >= 0,
            "$lt" => order => order < 0,
            _ => order => order <= 0,
        };
        var equal = name is "$gte" or "$lte";
        if (operand.Type is BsonType.MinKey or BsonType.MaxKey)
            return value => !value.IsMissing && holds(BsonOrder.Compare(value, operand));
        if (operand.Type == BsonType.Null)
            return equal ? Equal(operand) : _ => false;
        var rank = BsonOrder.Rank(operand.Type);
        if (operand.IsNumber && ExactNumber.Read(operand.Type, operand.Span).Class == NumberClass.NotANumber)
            return equal ? Equal(operand) : _ => false;
        return value => !value.IsMissing && BsonOrder.Rank(value.Type) == rank && !IsNaN(value) && holds(BsonOrder.Compare(value, operand));
    }

    public static Predicate<BsonValue> In(BsonValue operand)
    {
        if (operand.Type != BsonType.Array)
            throw new ServerException(ServerException.BadValue, "$in needs an array");
        var keys = new HashSet<ValueKey>();
        var tests = new List<Predicate<BsonValue>>();
        var reader = operand.Document.Read();
        while (reader.Read())
        {
            var value = BsonValue.Within(operand.Bytes, reader.Current);
            if (value.Type == BsonType.RegularExpression)
                tests.Add(Regex(value, options: null));
            else if (value.Type == BsonType.Null)
                tests.Add(Equal(value));
            else if (FilterParser.IsOperators(value))
                throw new ServerException(ServerException.BadValue, "cannot nest $ under $in");
            else
                keys.Add(ValueKey.Of(value));
        }

        return value => (!value.IsMissing && keys.Contains(ValueKey.Of(value))) || tests.Exists(test => test(value));
    }

    public static Predicate<BsonValue> Mod(BsonValue operand)
    {
        var parts = Elements(operand);
        if (parts is not [var divisor, var remainder] || divisor.AsInt64() == 0)
            throw new ServerException(ServerException.BadValue, "malformed mod, needs to be an array of divisor and remainder");
        var (by, rest) = (divisor.AsInt64(), remainder.AsInt64());
        return value => value.Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double && Math.Abs(value.AsDouble()) < 9.2e18 && Truncated(value) % by == rest;
    }

    public static Predicate<BsonValue> Size(BsonValue operand)
    {
        var size = operand.AsInt64();
        return value => value.Type == BsonType.Array && Elements(value).Count == size;
    }

    public static Predicate<BsonValue> Regex(BsonValue operand, string? options)
    {
        string pattern;
        if (operand.Type == BsonType.RegularExpression)
        {
            var end = operand.Span.IndexOf((byte)0);
            pattern = Encoding.UTF8.GetString(operand.Span[..end]);
            options ??= Encoding.UTF8.GetString(operand.Span[(end + 1)..^1]);
        }
        else
        {
            pattern = operand.AsString();
        }

        var regex = new Regex(pattern, Options(options ?? ""), RegexTime);
        return value => value.Type switch
        {
            BsonType.String or BsonType.Symbol => regex.IsMatch(Encoding.UTF8.GetString(value.Span[4..^1])),
            BsonType.RegularExpression => operand.IsSameAs(value),
            _ => false,
        };
    }

    public static List<BsonValue> Elements(BsonValue array)
    {
        if (array.Type != BsonType.Array)
            throw new ServerException(ServerException.BadValue, "an array is needed");
        var elements = new List<BsonValue>();
        var reader = array.Document.Read();
        while (reader.Read())
            elements.Add(BsonValue.Within(array.Bytes, reader.Current));
        return elements;
    }

    private static long Truncated(BsonValue value) => value.Type == BsonType.Double ? (long)value.AsDouble() : value.AsInt64();

    private static bool IsNaN(BsonValue value) => value.IsNumber && value.Type is BsonType.Double or BsonType.Decimal128 && ExactNumber.Read(value.Type, value.Span).Class == NumberClass.NotANumber;

    private static RegexOptions Options(string letters)
    {
        var options = RegexOptions.CultureInvariant;
        foreach (var letter in letters)
        {
            options |= letter switch
            {
                'i' => RegexOptions.IgnoreCase,
                'm' => RegexOptions.Multiline,
                's' => RegexOptions.Singleline,
                'x' => RegexOptions.IgnorePatternWhitespace,
                'u' => RegexOptions.None,
                _ => throw new ServerException(ServerException.BadValue, $"invalid flag in regex options: {letter}"),
            };
        }

        return options;
    }
}
