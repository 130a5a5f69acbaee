using System.Management.Automation;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Cmdlets;

/// <summary>
/// What every door has: Ctrl+C that reaches the engine, events shown on the right streams, failures turned into error records, and paths resolved as PowerShell
/// does. All of it runs on the pipeline thread.
/// </summary>
public abstract class BotBackupCmdlet : PSCmdlet, IDisposable
{
    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();

    // One id a command, so that two commands in one pipeline have two bars.
    private readonly int _activity = Random.Shared.Next(1, int.MaxValue);

    /// <summary>Set by Ctrl+C.</summary>
    protected CancellationToken Stopped => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what the command holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _stop.Dispose();
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Runs to its end what the engine does, and shows each event.</summary>
    protected void Relay(IAsyncEnumerable<BackupEvent> run)
    {
        try
        {
            foreach (var happened in run.ToBlockingEnumerable(Stopped))
                Relay(happened);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            Ending(interrupted: true);
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Shows one event.</summary>
    protected void Relay(BackupEvent happened)
    {
        Hear(happened);
        switch (happened)
        {
            case Said said:
                WriteVerbose(said.Text);
                break;
            case Warned warned:
                WriteWarning(warned.Text);
                break;
            case Moved moved:
                WriteProgress(ToRecord(moved));
                break;
            case Made made:
                Show(made.Item);
                break;
            case Failed { IsOfOneStore: true } failed:
                WriteError(FailureRecords.ToErrorRecord(failed.Failure));
                break;
            case Failed failed:
                Fail(failed.Failure);
                break;
        }
    }

    /// <summary>Gets every event before it is shown; a door that keeps a journal overrides it.</summary>
    protected virtual void Hear(BackupEvent happened)
    {
    }

    /// <summary>The command is about to end, well or not; a door that keeps a journal overrides it.</summary>
    protected virtual void Ending(bool interrupted)
    {
    }

    /// <summary>Puts a result out; a door that answers otherwise overrides it.</summary>
    protected virtual void Show(object item) => WriteObject(item);

    /// <summary>Tells a failure; ends the command where its kind does.</summary>
    protected void Fail(Failure failure)
    {
        Hear(new Failed(failure));
        var record = FailureRecords.ToErrorRecord(failure);
        if (FailureRecords.EndsCommand(failure.Kind))
        {
            Ending(interrupted: false);
            ThrowTerminatingError(record);
        }

        WriteError(record);
    }

    /// <summary>Tells a failure for a part of a door.</summary>
    internal void Refuse(Failure failure) => Fail(failure);

    /// <summary>Warns of what cannot be read and may not be needed, once each.</summary>
    protected void WarnOf(Failure failure)
    {
        if (_warned.Add(failure.Message))
            Relay(new Warned($"{failure.Message} {failure.Advice}"));
    }

    /// <summary>Runs something of the engine's that may fail as a whole: true where it did not.</summary>
    protected bool Try(Action action)
    {
        Failure failure;
        try
        {
            action();
            return true;
        }
        catch (BackupException wrong)
        {
            failure = wrong.Failure;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }

        Fail(failure);
        return false;
    }

    /// <summary>The file-system path that <paramref name="path"/> means here; it need not exist. <c>$PWD</c> is not the process's folder.</summary>
    protected string FullPath(string path)
    {
        string full = "";
        var isFile = false;
        try
        {
            full = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            isFile = string.Equals(provider.Name, "FileSystem", StringComparison.Ordinal);
        }
        catch (SessionStateException)
        {
            // A drive or provider that does not exist.
        }

        if (!isFile)
        {
            Fail(new Failure(
                FailureKind.ConfigurationInvalid, $"'{SecretUri.Redact(path)}' is not a path of the file system.", "Give a path of the file system.", SecretUri.Redact(path)));
        }

        return full;
    }

    private ProgressRecord ToRecord(Moved moved)
    {
        var record = new ProgressRecord(_activity, moved.Activity, moved.Status.Length == 0 ? " " : moved.Status);
        if (moved.Total > 0)
            record.PercentComplete = (int)Math.Clamp(moved.Done * 100 / moved.Total, 0, 100);
        if (moved.Completed)
            record.RecordType = ProgressRecordType.Completed;
        return record;
    }
}
