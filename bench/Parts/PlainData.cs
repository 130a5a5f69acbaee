using System.Text;

namespace BotCore.Backup.Bench.Parts;

/// <summary>Data that compresses about as programs and documents do, the same in every run.</summary>
internal static class PlainData
{
    private static readonly string[] Words = ["position", "BTCUSDT", "order", "filled", "0.00", "strategy", "exchange", "quantity", "latency", "candle", "signal", "close"];

    /// <summary>Half of it text in lines, half numbers with noise in their low bytes.</summary>
    public static byte[] Make(int length)
    {
        var random = new Random(20251118);
        var data = new byte[length];
        var at = 0;
        while (at < length)
        {
            var piece = random.Next(2) == 0
                ? Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, 12).Select(_ => Words[random.Next(Words.Length)])) + random.Next() + "\n")
                : [.. Enumerable.Range(0, 16).SelectMany(_ => BitConverter.GetBytes(43_000 + (random.NextDouble() * 100)))];
            var count = Math.Min(piece.Length, length - at);
            piece.AsSpan(0, count).CopyTo(data.AsSpan(at));
            at += count;
        }

        return data;
    }
}
