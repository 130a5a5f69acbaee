using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Tells a good answer from an error, and which error.</summary>
internal static class MongoReply
{
    /// <summary>
    /// Throws unless the server says ok. A write that failed for some documents is ok here: its writeErrors are the caller's. A write whose concern was not met
    /// (writeConcernError) and that has no writeErrors is thrown, since nobody knows then whether it stays.
    /// </summary>
    public static void Check(RawBson reply, string command, bool isCursor = false)
    {
        if (!reply.IsTrue("ok"u8))
            throw Failure(reply, reply, command, isCursor);
        if (reply.FindDocument("writeConcernError"u8) is { } concern && !reply.Has("writeErrors"u8))
            throw Failure(concern, reply, command, isCursor);
    }

    private static MongoException Failure(RawBson error, RawBson reply, string command, bool isCursor)
    {
        var code = error.FindInt64("code"u8) is { } number && number is >= int.MinValue and <= int.MaxValue ? (int?)number : null;
        var name = error.FindString("codeName"u8);
        var text = error.FindString("errmsg"u8) ?? "no reason given";
        var kind = code switch
        {
            18 => MongoError.LoginFailed,
            13 => MongoError.AccessDenied,
            // CursorNotFound, CursorKilled, CappedPositionLost, QueryPlanKilled
            43 or 237 or 136 or 175 when isCursor => MongoError.CursorLost,
            _ => MongoError.CommandFailed,
        };
        var label = string.Create(CultureInfo.InvariantCulture, $"{name ?? "error"} {code}").TrimEnd();
        return new MongoException(kind, $"The server answered {command} with {label}: {text}", code, name, reply.Copy());
    }
}
