using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests;

/// <summary>A small disk in memory, mounted on a folder of its own.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("disk-");

    public SmallDisk(string options) => Shell.Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", Folder);

    public string Folder => _folder.FullName;

    public void Remount(string options) => Shell.Run("mount", "-o", "remount," + options, Folder);

    public void Dispose()
    {
        Shell.Run("umount", "-l", Folder);
        _folder.Delete();
    }
}

/// <summary>A fact that mounts a disk; it is skipped, with the reason, where that is refused.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Refusal = new(Try);

    public MountFactAttribute() => Skip = Refusal.Value;

    private static string? Try()
    {
        if (!Syscalls.Supported || DurableFile.EffectiveUser != 0)
            return "Needs Linux and root, to mount a small disk.";
        try
        {
            new SmallDisk("size=1m").Dispose();
            return null;
        }
        catch (Exception refused)
        {
            return $"A small disk cannot be mounted here: {refused.Message}";
        }
    }
}
