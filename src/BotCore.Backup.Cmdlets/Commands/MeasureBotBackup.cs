using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Measurements;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Measures every codec on a sample of the admin's own data on this machine: speed, ratio, processor time, and what a backup would take. Marks the one that COMPRESSION=auto would choose.
/// Reads the data and writes nothing.
/// </summary>
[Cmdlet(VerbsDiagnostic.Measure, "BotBackup", DefaultParameterSetName = ByComponent)]
[OutputType(typeof(BotCodecMeasurement))]
public sealed class MeasureBotBackup : ConfiguredCmdlet
{
    private const string ByComponent = "Component";
    private const string ByPath = "Path";

    /// <summary>What to take samples of; all that is configured where none is named.</summary>
    [Parameter(Position = 0, ParameterSetName = ByComponent)]
    [ValidateSet(nameof(Engine.Components.Component.MongoDb), nameof(Engine.Components.Component.Config), nameof(Engine.Components.Component.Volume), nameof(Engine.Components.Component.Model))]
    public Component[] Component { get; set; } = [];

    /// <summary>Names of folders, <c>config</c> or <c>mongodb</c>; wildcards.</summary>
    [Parameter(ParameterSetName = ByComponent)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Folders or files instead, as they stand.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByPath)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The most threads that compress, as a backup would have it; one a processor where none is given.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (ParameterSetName is ByPath)
        {
            Relay(MeasureRunner.Run(Session, [.. Path.Select(FullPath)], Stopped));
            return;
        }

        var names = Wildcards.Of(Name);
        Relay(MeasureRunner.Run(Session, new BackupRequest { Warned = WarnOf, Components = Component, IsWanted = names.IsMatch }, Stopped));
    }

    /// <inheritdoc/>
    protected override SessionOptions Options() => new() { Threads = ThrottleLimit };
}
