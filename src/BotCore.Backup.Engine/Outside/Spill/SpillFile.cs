using System.Buffers;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using Microsoft.Win32.SafeHandles;

namespace BotCore.Backup.Engine.Outside.Spill;

/// <summary>
/// Room on the disk for what memory cannot hold: 0600, encrypted under a key that only this object has, and without a name from its first moment on, so that a killed
/// process leaves nothing behind. Written at the end, read anywhere. Thread-safe.
/// </summary>
internal sealed class SpillFile : IDisposable
{
    private readonly CounterMode _cipher = new();
    private readonly SafeFileHandle _file;
    private readonly string _folder;
    private long _length;
    private int _isDisposed;

    /// <summary>Makes it in <paramref name="folder"/>, which must be there.</summary>
    public SpillFile(string folder)
    {
        _folder = folder;
        var path = Path.Combine(folder, $".spill-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        try
        {
            var options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose | FileOptions.RandomAccess : FileOptions.RandomAccess;
            using (PrivateFile(path))
                _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, options);
            // Windows removes it when it is closed.
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            _file?.Dispose();
            _cipher.Dispose();
            throw ToFailure(wrong);
        }
    }

    /// <summary>Bytes in it.</summary>
    public long Length => Interlocked.Read(ref _length);

    /// <summary>Puts <paramref name="bytes"/> behind what is there, and says where. They are not changed.</summary>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        var offset = Interlocked.Add(ref _length, bytes.Length) - bytes.Length;
        var sealedBytes = ArrayPool<byte>.Shared.Rent(bytes.Length);
        try
        {
            var copy = sealedBytes.AsSpan(0, bytes.Length);
            bytes.CopyTo(copy);
            _cipher.Apply(offset, copy);
            RandomAccess.Write(_file, copy, offset);
            return offset;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw ToFailure(wrong);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(sealedBytes);
        }
    }

    /// <summary>Fills <paramref name="bytes"/> with what was appended at <paramref name="offset"/>.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        try
        {
            for (var done = 0; done < bytes.Length;)
            {
                var read = RandomAccess.Read(_file, bytes[done..], offset + done);
                if (read == 0)
                    throw new EndOfStreamException("The spill file ends early.");
                done += read;
            }
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw ToFailure(wrong);
        }

        _cipher.Apply(offset, bytes);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        _file.Dispose();
        _cipher.Dispose();
    }

    // Nobody else may open it in the moment before its name is gone.
    private static FileStream PrivateFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    private BackupException ToFailure(Exception wrong) => new(
        wrong is UnauthorizedAccessException ? FailureKind.AccessDenied : FailureKind.StoreFull,
        $"What does not fit into memory cannot be kept in {_folder} for the moment: {wrong.Message.TrimEnd('.')}.",
        "Free space there, and run again; nothing was left behind.",
        _folder,
        wrong);
}
