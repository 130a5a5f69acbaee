using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Updates;

/// <summary>Adds and multiplies as the server does: 32 bits grow to 64, a double makes the result one. Decimal128 is refused.</summary>
internal static class Arithmetic
{
    public static BsonValue Apply(string name, BsonValue old, BsonValue by)
    {
        var multiply = name is "$mul";
        if (old.IsMissing)
            old = BsonValue.Of(0);
        if (!old.IsNumber || !by.IsNumber)
            throw new ServerException(ServerException.TypeMismatch, $"Cannot apply {name} to a value of non-numeric type.");
        if (old.Type == BsonType.Decimal128 || by.Type == BsonType.Decimal128)
            throw new ServerException(ServerException.NotImplemented, $"The sandbox does not know {name} with Decimal128.");
        if (old.Type == BsonType.Double || by.Type == BsonType.Double)
            return BsonValue.Of(multiply ? old.AsDouble() * by.AsDouble() : old.AsDouble() + by.AsDouble());
        try
        {
            var result = multiply ? checked(old.AsInt64() * by.AsInt64()) : checked(old.AsInt64() + by.AsInt64());
            return old.Type == BsonType.Int32 && by.Type == BsonType.Int32 && result is >= int.MinValue and <= int.MaxValue ? BsonValue.Of((int)result) : BsonValue.Of(result);
        }
        catch (OverflowException)
        {
            throw new ServerException(ServerException.BadValue, $"Failed to apply {name} operations to current value: the result does not fit into 64 bits.");
        }
    }
}
