using System.Security.Cryptography;
using System.Text.Json;

namespace BotCore.Backup.Engine.Stores.Leases;

/// <summary>Who holds a lease: the content of a lock object, JSON.</summary>
/// <param name="Token">Unlike that of any other holder.</param>
/// <param name="Host">The machine.</param>
/// <param name="Process">The process on it.</param>
/// <param name="ProcessBegan">When that process began, UTC; tells it from a later one of the same number.</param>
/// <param name="Since">When the lease was taken, by the holder's clock.</param>
internal sealed record LeaseHolder(string Token, string Host, int Process, DateTime ProcessBegan, DateTimeOffset Since)
{
    private static readonly TimeSpan SameMoment = TimeSpan.FromSeconds(2);

    /// <summary>This process.</summary>
    public static LeaseHolder New(DateTimeOffset now)
    {
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        return new LeaseHolder(RandomNumberGenerator.GetHexString(32, lowercase: true), Environment.MachineName, self.Id, self.StartTime.ToUniversalTime(), now);
    }

    /// <summary>Reads one; null where it is none.</summary>
    public static LeaseHolder? Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<LeaseHolder>(json, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether <paramref name="other"/> is this very holder.</summary>
    public bool IsSame(LeaseHolder? other) => string.Equals(Token, other?.Token, StringComparison.Ordinal);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web);

    /// <summary>Whether it was a process of this machine that is no more. False wherever that cannot be known.</summary>
    public bool IsGone()
    {
        if (!string.Equals(Host, Environment.MachineName, StringComparison.Ordinal))
            return false;
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(Process);
            return (process.StartTime.ToUniversalTime() - ProcessBegan).Duration() > SameMoment;
        }
        catch (ArgumentException)
        {
            return !IsHidden();
        }
        catch (Exception unreadable) when (unreadable is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public override string ToString() => FormattableString.Invariant($"process {Process} on {Host} since {Since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");

    // Containers of one machine may share its name and not see each other's processes: who is number 1 sees a part only.
    private static bool IsHidden() => Environment.ProcessId == 1 || File.Exists("/.dockerenv") || File.Exists("/run/.containerenv");
}
