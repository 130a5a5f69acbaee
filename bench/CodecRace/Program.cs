using System.Globalization;
using BotCore.Backup.Engine.Compression;

// The codecs as the seal uses them, between two files or pipes, so that they can be raced against the stock tools: CodecRace CODEC LEVEL THREADS MEBIBYTES < in > out.
// THREADS is the most; MEBIBYTES, what a run may take, lowers it. LEVEL may be "open": then the stream is decompressed.
if (args is not [var name, var level, var threads, var memory])
{
    await Console.Error.WriteLineAsync("CodecRace CODEC LEVEL|open THREADS MEBIBYTES < in > out");
    return 2;
}

var codec = Codecs.ByName(name);
using var input = Console.OpenStandardInput();
using var output = Console.OpenStandardOutput();
if (level is "open")
{
    using var reader = codec.OpenReader(input, leaveOpen: true);
    reader.CopyTo(output, 1 << 20);
    return 0;
}

var at = int.Parse(level, CultureInfo.InvariantCulture);
var limit = long.Parse(memory, CultureInfo.InvariantCulture) << 20;
using var pipeline = new BlockPipeline(codec, at, CodecMemory.CompressingThreads(codec, at, int.Parse(threads, CultureInfo.InvariantCulture), limit), block => output.Write(block.Member.Span));
while (true)
{
    var block = pipeline.Rent();
    block.Length = input.ReadAtLeast(block.Buffer, block.Buffer.Length, throwOnEndOfStream: false);
    if (block.Length == 0)
        break;
    pipeline.Submit(block);
}

pipeline.Complete();
return 0;
