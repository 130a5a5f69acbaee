namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Counts commands by name, for the tests that break them. Thread-safe.</summary>
internal sealed class FaultCounter
{
    private readonly Dictionary<string, int> _seen = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>How often the command came before.</summary>
    public int Next(string command)
    {
        lock (_gate)
        {
            _seen.TryGetValue(command, out var count);
            _seen[command] = count + 1;
            return count;
        }
    }
}
