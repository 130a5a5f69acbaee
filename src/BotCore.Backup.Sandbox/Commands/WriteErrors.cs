using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Runs the statements of one write command, ordered or not, and gathers what went wrong with each.</summary>
internal sealed class WriteErrors(bool ordered)
{
    private readonly List<(int Index, Exception Error)> _errors = [];

    /// <summary>Runs one statement; false where the command must stop.</summary>
    public bool Try(int index, Action statement)
    {
        try
        {
            statement();
            return true;
        }
        catch (DuplicateKeyException e)
        {
            _errors.Add((index, e));
        }
        catch (ServerException e) when (e.Code is not (ServerException.WriteConflict or ServerException.NoSuchTransaction or ServerException.NotImplemented or ServerException.OutOfDiskSpace))
        {
            _errors.Add((index, e));
        }

        return !ordered;
    }

    public void AppendTo(BsonBuilder reply)
    {
        if (_errors.Count == 0)
            return;
        reply.BeginArray("writeErrors");
        for (var i = 0; i < _errors.Count; i++)
        {
            var (index, error) = _errors[i];
            reply.BeginDocument(i.ToString(CultureInfo.InvariantCulture)).Append("index", index);
            if (error is DuplicateKeyException duplicate)
                reply.Append("code", ServerException.DuplicateKey).Append("keyPattern", duplicate.Pattern).Append("keyValue", duplicate.KeyValue);
            else
                reply.Append("code", ((ServerException)error).Code);
            reply.Append("errmsg", error.Message).End();
        }

        reply.End();
    }
}
