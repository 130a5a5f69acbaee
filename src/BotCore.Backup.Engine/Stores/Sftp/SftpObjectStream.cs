using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>An object being read; what goes wrong gets its kind.</summary>
internal sealed class SftpObjectStream(SftpReadStream inner, string key, SftpPlace place) : ForwardStream
{
    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return inner.Read(buffer);
        }
        catch (SftpException wrong)
        {
            throw SftpFailures.Of(place, key, wrong);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
