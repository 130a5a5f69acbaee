namespace BotCore.Backup.Examples.QuickStart;

/// <summary>A step did not show what it should have shown.</summary>
internal sealed class NotProvenException(string message) : Exception(message);
