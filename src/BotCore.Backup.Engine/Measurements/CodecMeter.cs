using System.Diagnostics;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Measurements;

/// <summary>
/// Measures codecs on one sample: as many threads as a backup would have compress blocks of it side by side, each for as long as <paramref name="budget"/> and one block at least, so that
/// what the processors do for each other's caches and hyperthreads is in the figure.
/// </summary>
internal sealed class CodecMeter(byte[] sample, long plainSize, int processors, TimeSpan budget)
{
    // Each encrypted byte is encrypted and hashed twice (SHA-1, SHA-256), and archives are read back and hashed again.
    private const double HashesOfPacked = 4;

    private readonly double _secondsPerHashedByte = TimeHash(sample);

    /// <summary>Measures one of them.</summary>
    public BotCodecMeasurement Measure(CodecChoice choice, CancellationToken token)
    {
        var length = Math.Clamp(sample.Length / (2 * choice.Threads), 1, choice.Codec.BlockSize(choice.Level));
        var blocks = (sample.Length + length - 1) / length;
        var works = Enumerable.Range(0, choice.Threads).Select(first => new Work(sample, length, first * blocks / choice.Threads, blocks, choice, budget, token)).ToArray();
        var processor = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        var threads = works.Select(work => new Thread(work.Run) { IsBackground = true, Name = "codec meter" }).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        var seconds = Math.Max(clock.Elapsed.TotalSeconds, 1e-6);
        var used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        Array.ForEach(works, work => work.ThrowIfFailed());

        var plain = Math.Max(1, works.Sum(work => work.Plain));
        var ratio = (double)plain / Math.Max(1, works.Sum(work => work.Packed)) * Correction([.. works.SelectMany(work => work.Done)], length, blocks);
        return new BotCodecMeasurement
        {
            Name = "",
            Codec = choice.Codec.Name,
            Level = choice.Level,
            Threads = choice.Threads,
            MegabytesPerSecond = plain / seconds / 1e6,
            Ratio = ratio,
            CpuSecondsPerGigabyte = used / plain * 1e9,
            SampleSize = new ByteSize(sample.Length),
            PlainSize = new ByteSize(plainSize),
            PredictedSize = new ByteSize((long)(plainSize / ratio)),
            PredictedDuration = TimeSpan.FromSeconds(plainSize * ((seconds / plain) + (_secondsPerHashedByte * (1 + (HashesOfPacked / ratio)) / processors))),
        };
    }

    // A slow codec has seen a part of the sample only, which may be better or worse than the whole: how much so, the fastest gzip tells.
    private double Correction(IReadOnlyList<int> done, int length, int blocks)
    {
        if (done.Distinct().Count() == blocks)
            return 1;
        using var gzip = Codecs.Gzip.CreateCompressor(1);
        var member = new byte[gzip.MaximumLength(length)];
        var packed = Enumerable.Range(0, blocks).Select(number => (Plain: (double)Block(sample, length, number).Length, Packed: (double)gzip.Compress(Block(sample, length, number), member))).ToArray();
        return packed.Sum(one => one.Plain) / packed.Sum(one => one.Packed) * done.Sum(number => packed[number].Packed) / done.Sum(number => packed[number].Plain);
    }

    private static ReadOnlySpan<byte> Block(byte[] sample, int length, int number) => sample.AsSpan(number * length, Math.Min(length, sample.Length - (number * length)));

    private static double TimeHash(byte[] sample)
    {
        var clock = Stopwatch.StartNew();
        SHA256.HashData(sample);
        return clock.Elapsed.TotalSeconds / Math.Max(1, sample.Length);
    }

    /// <summary>One thread's share.</summary>
    private sealed class Work(byte[] sample, int length, int first, int blocks, CodecChoice choice, TimeSpan budget, CancellationToken token)
    {
        private Exception? _failure;

        /// <summary>The blocks that were compressed.</summary>
        public List<int> Done { get; } = [];

        public long Plain { get; private set; }

        public long Packed { get; private set; }

        public void Run()
        {
            try
            {
                Compress();
            }
            catch (Exception e)
            {
                _failure = e;
            }
        }

        public void ThrowIfFailed()
        {
            token.ThrowIfCancellationRequested();
            if (_failure is not null)
                throw new InvalidOperationException($"{choice.Codec.Name} could not be measured.", _failure);
        }

        private void Compress()
        {
            using var compressor = choice.Codec.CreateCompressor(choice.Level);
            var member = new byte[compressor.MaximumLength(length)];
            var clock = Stopwatch.StartNew();
            for (var number = 0; number < blocks && (number == 0 || clock.Elapsed < budget) && !token.IsCancellationRequested; number++)
            {
                var place = (first + number) % blocks;
                var block = Block(sample, length, place);
                Done.Add(place);
                Packed += compressor.Compress(block, member);
                Plain += block.Length;
            }
        }
    }
}
