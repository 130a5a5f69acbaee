using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Components.MongoDb.Damage;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Looks for drops, mass deletes, mass updates and schema changes in the oplogs of the store, and names the last moment before each.</summary>
[Cmdlet(VerbsCommon.Find, "BotOplogEvent")]
[OutputType(typeof(BotOplogEvent))]
public sealed class FindBotOplogEvent : ConfiguredCmdlet
{
    /// <summary>Collections as database.collection, or the name of a database or collection alone, with * and ?; all where none is named.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Collection { get; set; } = [];

    /// <summary>Kinds of events; all where none is named.</summary>
    [Parameter]
    public OplogEventKind[] Kind { get; set; } = [];

    /// <summary>Events that were still going on at this moment or later.</summary>
    [Parameter]
    public DateTimeOffset? Since { get; set; }

    /// <summary>Events that began before this moment.</summary>
    [Parameter]
    public DateTimeOffset? Before { get; set; }

    /// <summary>Look into the oplog of the server at DATABASE_URL, too.</summary>
    [Parameter]
    public SwitchParameter Live { get; set; }

    /// <summary>The store; the local one where none is named.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string? Store { get; set; }

    /// <summary>Documents that make a mass of deletes or updates.</summary>
    [Parameter]
    [ValidateRange(1, long.MaxValue)]
    public long MinimumCount { get; set; } = 100;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var request = new OplogEventRequest { Collections = Collection, Kinds = Kind, Since = Since, Before = Before, Live = Live, Store = Store, MinimumCount = MinimumCount };
        Relay(OplogEventRunner.Run(Session, request, Stopped));
    }
}
