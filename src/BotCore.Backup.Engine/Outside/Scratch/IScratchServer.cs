namespace BotCore.Backup.Engine.Outside.Scratch;

/// <summary>
/// A server of our own that lives as long as this object: a place to restore into and compare. Memory-bound; it is a rehearsal, never the last proof where a
/// real server is configured.
/// </summary>
public interface IScratchServer : IDisposable
{
    /// <summary>Where it listens, as a <c>mongodb://</c> URI on the loopback interface. May hold a password: not for logs.</summary>
    string ConnectionString { get; }
}
