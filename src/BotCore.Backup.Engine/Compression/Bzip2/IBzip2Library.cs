namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>bzip2 by a library that needs no libbz2. Stands in the adapters: get one from <see cref="Outside.Adapters.AdapterLoader.Bzip2"/>. Thread-safe; its streams are not.</summary>
public interface IBzip2Library
{
    /// <summary>Writes one bzip2 stream, which is whole when what this gives is disposed of; <paramref name="target"/> stays open.</summary>
    /// <param name="target">Where it goes.</param>
    /// <param name="level">1 to 9: blocks of so many times 100,000 bytes.</param>
    Stream OpenWriter(Stream target, int level);

    /// <summary>
    /// Reads one bzip2 stream and takes no byte behind it; <paramref name="source"/> stays open. Damage and an early end throw <see cref="InvalidDataException"/>. What <paramref name="source"/> throws may come out as that, too.
    /// </summary>
    /// <param name="source">Stands at the stream's first byte.</param>
    Stream OpenReader(Stream source);
}
