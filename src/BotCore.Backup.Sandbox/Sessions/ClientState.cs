namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>What the server knows of one connection. Used by its thread alone.</summary>
internal sealed class ClientState(int number)
{
    public int Number { get; } = number;

    /// <summary>A conversation that began and has not ended.</summary>
    public ScramConversation? Conversation { get; set; }

    /// <summary>Who logged in, as <c>db.name</c>.</summary>
    public string? User { get; set; }
}
