using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>Which failures of reading another attempt may mend.</summary>
internal static class PassingFailures
{
    /// <summary>How often a reading begins in all.</summary>
    public const int MostAttempts = 4;

    /// <summary>The connection was lost, or the server closed the cursor: because the collection was renamed or dropped, its position was overwritten, or the member changes its role.</summary>
    public static bool Is(MongoException wrong) => wrong.Error is MongoError.ConnectionLost or MongoError.CursorLost or MongoError.Unreachable
        || (wrong.Error == MongoError.CommandFailed && wrong.Code is 26 or 43 or 91 or 134 or 136 or 175 or 189 or 237 or 246 or 10107 or 11600 or 11602 or 13435 or 13436);
}
