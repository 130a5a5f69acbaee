using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Lists the stores that the settings enable; with -Probe each is written to and read from. What fails is an error and a result that says Failed.</summary>
[Cmdlet(VerbsCommon.Get, "BotBackupStore")]
[OutputType(typeof(BotBackupStore))]
public sealed class GetBotBackupStore : ConfiguredCmdlet
{
    /// <summary>Stores by name; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Take a lease, write an object, read it back, compare, remove it. Leaves nothing.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <inheritdoc/>
    protected override void Finish()
    {
        var names = Wildcards.Of(Name);
        Try(() =>
        {
            foreach (var store in StoreProbe.List(Session, names.IsMatch, Probe, Stopped))
            {
                WriteObject(store);
                if (store.Failure is { } failure)
                    Fail(failure);
            }
        });
    }
}
