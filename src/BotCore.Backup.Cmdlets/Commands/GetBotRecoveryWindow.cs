using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Lists the spans of time that a database can be restored to, by time, and the gaps between them with their reason.</summary>
[Cmdlet(VerbsCommon.Get, "BotRecoveryWindow")]
[OutputType(typeof(BotRecoveryWindow))]
public sealed class GetBotRecoveryWindow : ConfiguredCmdlet
{
    /// <summary>What to look at; only the database has increments.</summary>
    [Parameter(Position = 0)]
    [ValidateSet(nameof(Engine.Components.Component.MongoDb))]
    public Component Component { get; set; } = Component.MongoDb;

    /// <summary>Stores; the local one where none is named.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

    /// <inheritdoc/>
    protected override void Finish()
    {
        foreach (var store in Store.Length > 0 ? Store : [Session.Local.Name])
        {
            Try(() =>
            {
                foreach (var happened in RecoveryWindows.List(Session.StoreNamed(store), Stopped))
                    Relay(happened);
            });
        }
    }
}
