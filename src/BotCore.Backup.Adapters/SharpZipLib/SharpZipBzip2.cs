using BotCore.Backup.Engine.Compression.Bzip2;
using ICSharpCode.SharpZipLib.BZip2;

namespace BotCore.Backup.Adapters.SharpZipLib;

/// <summary>bzip2 by SharpZipLib, in managed code: several times as slow as libbz2, and there on every machine.</summary>
public sealed class SharpZipBzip2 : IBzip2Library
{
    /// <inheritdoc/>
    public Stream OpenWriter(Stream target, int level) => new BZip2OutputStream(target, level) { IsStreamOwner = false };

    /// <inheritdoc/>
    public Stream OpenReader(Stream source)
    {
        try
        {
            return new SharpZipReader(new BZip2InputStream(source) { IsStreamOwner = false });
        }
        catch (Exception damage) when (IsDamage(damage))
        {
            throw Damaged(damage);
        }
    }

    // What is damaged leads the library out of its tables as well.
    internal static bool IsDamage(Exception e) => e is BZip2Exception or EndOfStreamException or IndexOutOfRangeException or ArgumentException or InvalidOperationException or NullReferenceException or OverflowException;

    internal static InvalidDataException Damaged(Exception cause) => new("The bzip2 stream is damaged, or ends early.", cause);
}
