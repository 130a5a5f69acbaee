using System.IO.Pipes;
using BotCore.Backup.Engine.Outside.Posix;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Outside;

public sealed class DurableFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("botbackup-durable-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Fsync_of_a_file_and_of_its_folder_passes()
    {
        using var handle = File.OpenHandle(At("a"), FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(handle, "content"u8, 0);

        DurableFile.Fsync(handle, At("a"));
        DurableFile.FsyncDirectory(_folder);
    }

    [LinuxFact]
    public void Fsync_tells_the_error_that_the_system_gives()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);

        var error = Assert.Throws<PosixException>(() => DurableFile.Fsync(handle, "the pipe"));

        Assert.Equal(Errno.EINVAL, error.Number);
        Assert.Contains("fsync of the pipe", error.Message, StringComparison.Ordinal);
        Assert.Contains("EINVAL", error.Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void Fsync_of_a_folder_that_is_not_there_fails()
    {
        var error = Assert.Throws<PosixException>(() => DurableFile.FsyncDirectory(At("none")));

        Assert.Equal(Errno.ENOENT, error.Number);
    }

    [Fact]
    public void Rename_moves_a_file_to_a_free_name()
    {
        File.WriteAllText(At("from é"), "content");

        DurableFile.RenameNoReplace(At("from é"), At("to"));

        Assert.Equal("content", File.ReadAllText(At("to")));
        Assert.False(File.Exists(At("from é")));
    }

    [LinuxFact]
    public void Rename_never_replaces()
    {
        File.WriteAllText(At("from"), "new");
        File.WriteAllText(At("to"), "old");

        var error = Assert.Throws<PosixException>(() => DurableFile.RenameNoReplace(At("from"), At("to")));

        Assert.Equal(Errno.EEXIST, error.Number);
        Assert.Equal("old", File.ReadAllText(At("to")));
        Assert.Equal("new", File.ReadAllText(At("from")));
    }

    [LinuxFact]
    public void Link_and_unlink_stand_in_for_rename_and_never_replace()
    {
        File.WriteAllText(At("from"), "new");
        File.WriteAllText(At("taken"), "old");

        var error = Assert.Throws<PosixException>(() => StandIn("from", "taken"));
        StandIn("from", "to");

        Assert.Equal(Errno.EEXIST, error.Number);
        Assert.Equal("old", File.ReadAllText(At("taken")));
        Assert.Equal("new", File.ReadAllText(At("to")));
        Assert.False(File.Exists(At("from")));
    }

    [ToolFact("stat")]
    public void Free_space_is_what_stat_says()
    {
        var said = Shell.Run("stat", "-f", "-c", "%a %S", _folder).Split(' ');
        var expected = long.Parse(said[0], System.Globalization.CultureInfo.InvariantCulture) * long.Parse(said[1], System.Globalization.CultureInfo.InvariantCulture);

        // Other processes write meanwhile.
        Assert.InRange(DurableFile.FreeSpace(_folder), expected - (1L << 32), expected + (1L << 32));
    }

    [LinuxFact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void Owner_and_mode_are_those_of_the_file()
    {
        File.WriteAllText(At("a"), "");
        File.SetUnixFileMode(At("a"), UnixFileMode.UserRead | UnixFileMode.GroupWrite | UnixFileMode.OtherExecute);

        Assert.Equal(new OwnerAndMode(DurableFile.EffectiveUser!.Value, 0b100_010_001), DurableFile.OwnerAndMode(At("a")));
        Assert.Equal(Errno.ENOENT, Assert.Throws<PosixException>(() => DurableFile.OwnerAndMode(At("none"))).Number);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void StandIn(string from, string to) =>
        DurableFile.LinkThenUnlink(DurableFile.Terminated(At(from)), DurableFile.Terminated(At(to)), from, to);
}
