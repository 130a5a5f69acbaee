using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Backups;

/// <summary>
/// Makes several volumes of a run be of one moment: whoever mounts one of them is quiet from before the first is read until the last is in its stores. One volume alone is left to
/// its own reading, which lets its containers go on sooner. One thread.
/// </summary>
internal sealed class QuietVolumes(BackupSession session, IReadOnlyList<BackupStep> steps, Action<BackupEvent> tell) : IDisposable
{
    private readonly List<BackupStep> _left = [.. steps.Where(step => step is { Volume: not null, Quiesce: not QuiesceMode.None })];
    private VolumeEngine? _engine;
    private QuietContainers? _quiet;
    private bool _isBegun;

    /// <summary>Called before each step.</summary>
    public void Before(BackupStep step, CancellationToken token)
    {
        if (_isBegun || _left.Count < 2 || !_left.Contains(step))
            return;
        _isBegun = true;
        try
        {
            _engine = VolumeEngine.Of(session.Configuration);
            _quiet = QuietContainers.Begin(_engine, session.Configuration, [.. _left.Select(one => one.Volume!)], step.Quiesce, tell, token);
        }
        catch (BackupException wrong)
        {
            // Each volume makes its own containers quiet then, and the one that this is of fails.
            tell(new Warned($"The volumes of this run are not of one moment, since not all that mount them could be made quiet together: {wrong.Failure.Message}"));
        }
    }

    /// <summary>Called behind each step, whatever became of it.</summary>
    public void After(BackupStep step)
    {
        if (_left.Remove(step) && _left.Count == 0)
            Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _quiet?.Dispose();
        _engine?.Dispose();
        (_quiet, _engine) = (null, null);
    }
}
