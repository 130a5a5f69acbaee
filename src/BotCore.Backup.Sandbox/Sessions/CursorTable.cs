using System.Collections.Concurrent;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>The open cursors, by id. A cursor is out of the table while a command works with it. Thread-safe.</summary>
internal sealed class CursorTable
{
    private readonly ConcurrentDictionary<long, ServerCursor> _open = new();
    private long _last = 1_000_000;

    public int Count => _open.Count;

    public void Keep(ServerCursor cursor)
    {
        if (cursor.Id == 0)
            cursor.Id = Interlocked.Increment(ref _last);
        _open[cursor.Id] = cursor;
    }

    public ServerCursor Take(long id, string? owner)
    {
        if (!_open.TryRemove(id, out var cursor))
            throw new ServerException(ServerException.CursorNotFound, $"cursor id {id} not found");
        if (string.Equals(cursor.Owner, owner, StringComparison.Ordinal))
            return cursor;
        _open[id] = cursor;
        throw new ServerException(ServerException.Unauthorized, $"cursor id {id} was not created by the authenticated user");
    }

    public bool Kill(long id)
    {
        if (!_open.TryRemove(id, out var cursor))
            return false;
        cursor.Dispose();
        return true;
    }
}
