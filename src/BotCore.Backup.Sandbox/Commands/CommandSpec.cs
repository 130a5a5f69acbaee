namespace BotCore.Backup.Sandbox.Commands;

/// <summary>What right a command needs.</summary>
internal enum Access
{
    /// <summary>None: it works before the login.</summary>
    Open = 0,

    /// <summary>To be logged in.</summary>
    LoggedIn,

    /// <summary>To read the database.</summary>
    Read,

    /// <summary>To write to the database.</summary>
    Write,

    /// <summary>All rights.</summary>
    Root,
}

/// <summary>How the dispatcher locks around a command.</summary>
internal enum Locking
{
    /// <summary>It locks for itself.</summary>
    Own = 0,

    /// <summary>Readers share.</summary>
    Shared,

    /// <summary>It is alone.</summary>
    Exclusive,
}

/// <summary>One command: who may, which options it knows, and what it does.</summary>
internal sealed record CommandSpec(string Name, Access Access, Locking Locking, Action<CommandContext> Run, params string[] Options)
{
    /// <summary>May be part of a transaction.</summary>
    public bool InTransactions { get; init; }
}
