using System.Buffers;
using BenchmarkDotNet.Attributes;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;

namespace BotCore.Backup.Bench.Parts;

/// <summary>The headers of 10,000 small files, there and back.</summary>
[MemoryDiagnoser]
public class TarBenchmarks
{
    private const int Count = 10_000;

    private readonly ArrayBufferWriter<byte> _output = new(64 << 20);
    private readonly TarHeaderWriter _writer = new();
    private ArchiveEntry[] _entries = [];
    private byte[] _tar = [];

    /// <summary>Makes the entries, and a tar of them.</summary>
    [GlobalSetup]
    public void Start()
    {
        _entries = [.. Enumerable.Range(0, Count).Select(number => new ArchiveEntry
        {
            Path = new EntryPath($"config/exchange-{number % 97}/settings-{number}.json"),
            Kind = EntryKind.File,
            Mode = 0x1A4,
            Modified = new UnixTime(1_700_000_000 + number, 123_456_789),
            UserName = "root",
            GroupName = "root",
        })];
        Write();
        TarHeaderWriter.WriteEnd(_output.WrittenCount, _output);
        _tar = _output.WrittenSpan.ToArray();
    }

    /// <summary>Headers with a PAX time each.</summary>
    [Benchmark]
    public int Write()
    {
        _output.Clear();
        foreach (var entry in _entries)
            _writer.Write(entry, _output);
        return _output.WrittenCount;
    }

    /// <summary>The same, read.</summary>
    [Benchmark]
    public int Read()
    {
        using var reader = new TarReader(new MemoryStream(_tar), TarReaderOptions.Ours);
        var count = 0;
        while (reader.MoveNext())
            count++;
        return count;
    }
}
