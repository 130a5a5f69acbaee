using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>The oplog from a tip on, copied as it is written, on a connection of its own. One thread, but for what <see cref="OplogSlicer"/> says.</summary>
internal sealed class OplogTail : IDisposable
{
    private readonly MongoClient _client;
    private bool _isDisposed;

    private OplogTail(MongoClient client, OplogTip tip, OplogSlicer slicer)
    {
        _client = client;
        Tip = tip;
        Slicer = slicer;
    }

    /// <summary>Where it began.</summary>
    public OplogTip Tip { get; }

    /// <summary>What copies.</summary>
    public OplogSlicer Slicer { get; }

    /// <summary>Connects and begins, once the member that was chosen has the tip: it need not be the one on which that was found.</summary>
    public static OplogTail Open(MongoTarget target, DumpSelection selection, DumpOptions options, OplogTip tip, CancellationToken token)
    {
        var client = target.Connect(requirePrimary: false, token);
        try
        {
            OplogPoint.Demand(target, client, tip.At, options.MostLag, token);
        }
        catch
        {
            client.Dispose();
            throw;
        }

        return Begin(client, selection, options, tip, token);
    }

    /// <summary>Begins on <paramref name="client"/>, which is the tail's from then on.</summary>
    public static OplogTail Begin(MongoClient client, DumpSelection selection, DumpOptions options, OplogTip tip, CancellationToken token)
    {
        try
        {
            Directory.CreateDirectory(options.SpillFolder);
            return new OplogTail(client, tip, new OplogSlicer(client, tip, new OplogFilter(selection), options.Codec, options.Level, options.SpillFolder, token));
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        Slicer.Dispose();
        _client.Dispose();
    }
}
