using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Which process is at a restore.</summary>
/// <param name="Token">Tells this run from every other, of the same process too.</param>
/// <param name="Host">Name of the machine.</param>
/// <param name="Place">Tells where <paramref name="Process"/> means something: machine, its start, and name space of process ids, since containers may share a name.</param>
/// <param name="Process">Process id there.</param>
/// <param name="Began">When the process began, so that a later one of the same id is not taken for it; milliseconds since 1970.</param>
internal sealed record RestoreOwner(string Token, string Host, string Place, int Process, long Began)
{
    // The start of a process is told in ticks of the kernel's clock, and two readings may round apart.
    private const long SameStart = 1000;

    // A process may live on when its restore has ended, and its id says nothing then.
    private static readonly ConcurrentDictionary<string, bool> Active = new(StringComparer.Ordinal);

    /// <summary>Nobody any more: the owner ended without being done.</summary>
    public RestoreOwner Released => this with { Token = "" };

    /// <summary>This process, with a token of its own, until <see cref="Retire"/>.</summary>
    public static RestoreOwner New()
    {
        using var own = System.Diagnostics.Process.GetCurrentProcess();
        var owner = new RestoreOwner(Guid.NewGuid().ToString("N"), Environment.MachineName, ThisPlace(), own.Id, Milliseconds(own));
        Active.TryAdd(owner.Token, value: true);
        return owner;
    }

    /// <summary>Says that this run of this process has ended.</summary>
    public void Retire() => Active.TryRemove(Token, out _);

    public static RestoreOwner Read(RawBson document) => new(
        document.FindString("token"u8) ?? "", document.FindString("host"u8) ?? "", document.FindString("place"u8) ?? "", (int)(document.FindInt64("process"u8) ?? 0), document.FindInt64("began"u8) ?? 0);

    public void Write(BsonBuilder document) => document.BeginDocument("owner").Append("token", Token).Append("host", Host).Append("place", Place).Append("process", Process).Append("began", Began).End();

    /// <summary>Whether the process lives; null where that cannot be seen from here.</summary>
    public bool? IsAlive()
    {
        if (Token.Length == 0)
            return false;
        if (!string.Equals(Place, ThisPlace(), StringComparison.Ordinal))
            return null;
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(Process);
            return !process.HasExited && Math.Abs(Milliseconds(process) - Began) <= SameStart && (Process != Environment.ProcessId || Active.ContainsKey(Token));
        }
        catch (ArgumentException)
        {
            return false;
        }
        catch (Exception hidden) when (hidden is Win32Exception or InvalidOperationException or NotSupportedException)
        {
            return null;
        }
    }

    private static long Milliseconds(Process process) => new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds();

    private static string ThisPlace()
    {
        var parts = new List<string> { Environment.MachineName };
        if (OperatingSystem.IsLinux())
        {
            try
            {
                parts.Add(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
                parts.Add(File.ResolveLinkTarget("/proc/self/ns/pid", returnFinalTarget: false)?.Name ?? "");
            }
            catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
            {
                parts.Add("hidden");
            }
        }

        return string.Join(' ', parts);
    }
}
