using System.Security.Cryptography;
using BotCore.Backup.Engine.Outside.Spill;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Outside.Spill;

public sealed class SpillFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("spill-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void What_is_appended_is_read_anywhere()
    {
        using var spill = new SpillFile(_folder.FullName);
        var random = new Random(7);
        var pieces = new List<(long Offset, byte[] Bytes)>();
        foreach (var length in new[] { 1, 15, 16, 17, 0, 16_383, 16_384, 16_385, 1_048_576, 3, 100_001 })
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            var copy = bytes.ToArray();
            pieces.Add((spill.Append(bytes), bytes));
            Assert.Equal(copy, bytes);
        }

        var whole = pieces.SelectMany(piece => piece.Bytes).ToArray();
        Assert.Equal(whole.Length, spill.Length);
        for (var round = 0; round < 300; round++)
        {
            var from = random.Next(whole.Length);
            var part = new byte[random.Next(Math.Min(50_000, whole.Length - from) + 1)];
            spill.Read(from, part);
            Assert.True(whole.AsSpan(from, part.Length).SequenceEqual(part), $"{from} {part.Length}");
        }
    }

    [Fact]
    public void Appends_of_several_threads_do_not_meet()
    {
        using var spill = new SpillFile(_folder.FullName);
        var pieces = new System.Collections.Concurrent.ConcurrentBag<(long Offset, byte[] Bytes)>();
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 4 }, number =>
        {
            var bytes = RandomNumberGenerator.GetBytes(1 + (number * 37 % 5000));
            pieces.Add((spill.Append(bytes), bytes));
        });

        Assert.Equal(pieces.Sum(piece => piece.Bytes.Length), spill.Length);
        Assert.All(pieces, piece =>
        {
            var read = new byte[piece.Bytes.Length];
            spill.Read(piece.Offset, read);
            Assert.Equal(piece.Bytes, read);
        });
    }

    [LinuxFact]
    public void It_has_no_name_and_nothing_readable()
    {
        using var spill = new SpillFile(_folder.FullName);
        var text = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a secret of the platform ", 4000)));
        spill.Append(text);

        Assert.Empty(_folder.EnumerateFileSystemInfos());
        var raw = RawContent();
        Assert.Equal(text.Length, raw.Length);
        Assert.Equal(-1, raw.AsSpan().IndexOf("secret"u8));
        Assert.Equal(-1, raw.AsSpan().IndexOf("platform"u8));
    }

    [Fact]
    public void Closed_twice_it_stays_closed()
    {
        var spill = new SpillFile(_folder.FullName);
        spill.Append("x"u8);
        spill.Dispose();
        spill.Dispose();
        Assert.Throws<ObjectDisposedException>(() => spill.Append("y"u8));
    }

    [Fact]
    public void The_counter_is_the_place()
    {
        using var cipher = new CounterMode();
        // 2 to the power of 40: beyond what 32 bits of a counter would reach.
        foreach (var start in new[] { 0L, 5, 16, 1L << 33, (1L << 40) + 9 })
        {
            var plain = RandomNumberGenerator.GetBytes(40_000);
            var whole = plain.ToArray();
            cipher.Apply(start, whole);
            Assert.NotEqual(plain, whole);
            var parts = plain.ToArray();
            for (var at = 0; at < parts.Length; at += 777)
                cipher.Apply(start + at, parts.AsSpan(at, Math.Min(777, parts.Length - at)));
            Assert.Equal(whole, parts);
            cipher.Apply(start, whole);
            Assert.Equal(plain, whole);
        }
    }

    [Fact]
    public void Places_far_apart_share_no_stream()
    {
        using var cipher = new CounterMode();
        var streams = new[] { 0L, 16, 1L << 32, 1L << 36, 1L << 40 }.Select(at =>
        {
            var stream = new byte[16];
            cipher.Apply(at, stream);
            return Convert.ToHexString(stream);
        });
        Assert.Equal(5, streams.Distinct(StringComparer.Ordinal).Count());
    }

    // The one file of this process whose name was taken away in the folder.
    private byte[] RawContent()
    {
        foreach (var descriptor in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            var target = new FileInfo(descriptor).LinkTarget;
            if (target is null || !target.StartsWith(_folder.FullName, StringComparison.Ordinal) || !target.EndsWith(" (deleted)", StringComparison.Ordinal))
                continue;
            using var file = new FileStream(descriptor, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var memory = new MemoryStream();
            file.CopyTo(memory);
            return memory.ToArray();
        }

        throw new InvalidOperationException("The spill file is not among the open files.");
    }
}
