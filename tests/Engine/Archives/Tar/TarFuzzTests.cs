using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>Damaged and made-up archives: read, or refused as ArchiveCorrupt; nothing else, in bounded memory.</summary>
public sealed class TarFuzzTests
{
    private const long MaximumAllocation = 64 * 1024 * 1024;

    private static readonly Config Runs = Config.QuickThrowOnFailure.WithMaxTest(3000);

    [Fact]
    public void Noise() => Check((random, _) =>
    {
        var noise = new byte[random.Next(3000)];
        random.NextBytes(noise);
        return noise;
    });

    [Fact]
    public void Headers_of_noise_with_a_checksum_that_holds() => Check((random, _) =>
    {
        var noise = new byte[512 * random.Next(1, 12)];
        random.NextBytes(noise);
        for (var at = 0; at < noise.Length; at += 512)
        {
            var block = noise.AsSpan(at, 512);
            "00000000017\0"u8.CopyTo(block[124..]);
            block[156] = "0123456xgLKSD7"u8[random.Next(14)];
            if (random.Next(2) == 0)
                block[100..156].Fill((byte)'0');
            TarNumber.WriteChecksum(block);
        }

        return noise;
    });

    [Fact]
    public void Archives_with_changed_bytes() => Check((random, seed) =>
    {
        var archive = TarSample.Write(new TarSampleGenerator(seed).Samples());
        for (var count = random.Next(1, 20); count > 0; count--)
            Change(archive, random);
        return random.Next(4) == 0 ? archive[..random.Next(archive.Length)] : archive;
    });

    [Fact]
    public void Archives_with_blocks_moved_about() => Check((random, seed) =>
    {
        var archive = TarSample.Write(new TarSampleGenerator(seed).Samples());
        for (var count = random.Next(1, 8); count > 0; count--)
        {
            var blocks = archive.Length / 512;
            archive.AsSpan(512 * random.Next(blocks), 512).ToArray().CopyTo(archive, 512 * random.Next(blocks));
        }

        return archive;
    });

    // Mostly where headers are, and mostly with the checksum made to hold again: else nothing behind it is ever reached.
    private static void Change(byte[] archive, Random random)
    {
        var at = random.Next(archive.Length);
        archive[at] = random.Next(4) switch
        {
            0 => 0,
            1 => 0xFF,
            2 => (byte)('0' + random.Next(10)),
            _ => (byte)random.Next(256),
        };
        var block = archive.AsSpan(at & ~511, 512);
        if (block[257..].StartsWith("ustar"u8) && random.Next(4) != 0)
        {
            if (random.Next(3) == 0)
                block[156] = "0123456xgLKSD7"u8[random.Next(14)];
            TarNumber.WriteChecksum(block);
        }
    }

    private static void Check(Func<Random, int, byte[]> make)
        => Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed => IsReadOrRefused(make(new Random(seed), seed), seed)).Check(Runs);

    private static bool IsReadOrRefused(byte[] archive, int seed)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var reader = new TarReader(new MemoryStream(archive), seed % 2 == 0 ? TarReaderOptions.Ours : TarReaderOptions.Foreign);
        var shape = new ArchiveShape(new ArchiveShapeOptions { CompressedLength = archive.Length, AllowDuplicates = true });
        var buffer = new byte[4096];
        try
        {
            while (reader.MoveNext())
            {
                for (var length = 0L; length < reader.Current.DataLength;)
                {
                    var read = reader.Read(buffer);
                    if (read <= 0)
                        return false;
                    length += read;
                }

                try
                {
                    shape.Admit(reader.Current);
                }
                catch (BackupException refused) when (refused.Failure.Kind == FailureKind.ArchiveCorrupt)
                {
                    // The reader goes on: it is what is under test.
                }
            }
        }
        catch (BackupException refused) when (refused.Failure.Kind == FailureKind.ArchiveCorrupt)
        {
            // The other honest end.
        }

        return reader.Position <= archive.Length && GC.GetAllocatedBytesForCurrentThread() - before < MaximumAllocation;
    }
}
