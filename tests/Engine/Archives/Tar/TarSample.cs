using System.Buffers;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>An entry with its content, and archives made of them.</summary>
internal sealed record TarSample(ArchiveEntry Entry, byte[] Content)
{
    internal static TarSample File(string path, string content, Func<ArchiveEntry, ArchiveEntry>? change = null)
        => File(new EntryPath(path), System.Text.Encoding.UTF8.GetBytes(content), change);

    internal static TarSample File(EntryPath path, byte[] content, Func<ArchiveEntry, ArchiveEntry>? change = null)
    {
        var entry = new ArchiveEntry { Path = path, Kind = EntryKind.File, Mode = 0x1A4, Size = content.Length };
        return new TarSample(change is null ? entry : change(entry), content);
    }

    internal static TarSample Directory(string path, int mode = 0x1ED)
        => new(new ArchiveEntry { Path = new EntryPath(path), Kind = EntryKind.Directory, Mode = mode }, []);

    internal static TarSample Link(string path, EntryKind kind, string target)
        => new(new ArchiveEntry { Path = new EntryPath(path), Kind = kind, Mode = 0x1FF, LinkTarget = new EntryPath(target) }, []);

    /// <summary>The archive, ended as ours are.</summary>
    internal static byte[] Write(params IEnumerable<TarSample> samples)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new TarHeaderWriter();
        foreach (var sample in samples)
            sample.Write(writer, output);
        TarHeaderWriter.WriteEnd(output.WrittenCount, output);
        return output.WrittenSpan.ToArray();
    }

    internal void Write(TarHeaderWriter writer, IBufferWriter<byte> output)
    {
        writer.Write(Entry, output);
        output.Write(Content);
        output.Write(new byte[TarFormat.Padding(TarHeaderWriter.DataSize(Entry))]);
    }

    internal static List<TarSample> Read(byte[] archive, TarReaderOptions? options = null, int step = 1000)
    {
        using var stream = new MemoryStream(archive);
        return Read(stream, options, step);
    }

    internal static List<TarSample> Read(Stream stream, TarReaderOptions? options = null, int step = 1000)
    {
        using var reader = new TarReader(stream, options ?? TarReaderOptions.Ours);
        var samples = new List<TarSample>();
        while (reader.MoveNext())
            samples.Add(new TarSample(reader.Current, ReadContent(reader, step)));
        return samples;
    }

    internal static byte[] ReadContent(TarReader reader, int step = 1000)
    {
        using var content = new MemoryStream();
        var buffer = new byte[step];
        for (var read = reader.Read(buffer); read > 0; read = reader.Read(buffer))
            content.Write(buffer, 0, read);
        return content.ToArray();
    }

    /// <summary>The file's bytes with its holes.</summary>
    internal byte[] Unfold()
    {
        if (Entry.Sparse is null)
            return Content;
        var whole = new byte[Entry.Size];
        var taken = 0;
        foreach (var run in Entry.Sparse)
        {
            Content.AsSpan(taken, (int)run.Length).CopyTo(whole.AsSpan((int)run.Offset));
            taken += (int)run.Length;
        }

        return whole;
    }

    /// <summary>All that must come back the same, as text; records compare lists by reference.</summary>
    internal string Describe()
    {
        var attributes = string.Join(';', Entry.Attributes.Select(attribute => $"{attribute.Name}={Convert.ToHexString(attribute.Value)}"));
        var sparse = Entry.Sparse is null ? "whole" : string.Join(';', Entry.Sparse.Where(run => run.Length > 0));
        return $"{Convert.ToHexString(Entry.Path.Bytes)} {Entry.Kind} {Entry.Mode} {Entry.UserId}:{Entry.GroupId} {Entry.UserName}:{Entry.GroupName} "
            + $"{Entry.Modified} {Entry.Size} {Convert.ToHexString(Entry.LinkTarget.Bytes)} {Entry.DeviceMajor},{Entry.DeviceMinor} "
            + $"[{attributes}] {sparse} {Convert.ToHexString(Content)}";
    }
}
