namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Every command that the sandbox knows.</summary>
internal static class CommandSpecs
{
    public static IEnumerable<CommandSpec> All =>
    [
        .. HandshakeCommands.All,
        .. FindCommands.All,
        .. WriteCommands.All,
        .. CollectionCommands.All,
        .. IndexCommands.All,
        .. TransactionCommands.All,
        .. AggregateCommands.All,
        .. UserCommands.All,
    ];
}
