using System.Text;
using BotCore.Backup.Engine.Archives.Tar;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>Blocks made by hand, also those that our writer would not write.</summary>
internal static class RawTar
{
    internal static byte[] Header(string name, char type, long size = 0, string link = "")
    {
        var block = new byte[512];
        Encoding.UTF8.GetBytes(name, block);
        Encoding.UTF8.GetBytes(link, block.AsSpan(157));
        TarNumber.WriteOctal(block.AsSpan(TarFormat.Field.Size), size);
        block[156] = (byte)type;
        "ustar\000"u8.CopyTo(block.AsSpan(257));
        TarNumber.WriteChecksum(block);
        return block;
    }

    internal static byte[] Block(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Array.Resize(ref bytes, bytes.Length + TarFormat.Padding(bytes.Length));
        return bytes;
    }

    internal static byte[] Pax(char type, params string[] records)
    {
        var writer = new PaxRecordWriter();
        foreach (var record in records)
        {
            var equals = record.IndexOf('=', StringComparison.Ordinal);
            writer.Add(Encoding.UTF8.GetBytes(record[..equals]), record[(equals + 1)..]);
        }

        return [.. Header("pax", type, writer.Length), .. Block(Encoding.UTF8.GetString(writer.Records))];
    }
}
