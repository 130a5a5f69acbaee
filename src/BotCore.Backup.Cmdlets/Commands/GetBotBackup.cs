using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Lists backups, oldest first. An archive that lost its manifest, or has another's, is an error and no backup.</summary>
[Cmdlet(VerbsCommon.Get, "BotBackup", DefaultParameterSetName = ByQuery)]
[OutputType(typeof(BotBackup))]
public sealed class GetBotBackup : ConfiguredCmdlet
{
    private const string ByQuery = "Query";
    private const string ById = "Id";
    private const string ByPath = "Path";
    private const string ByLiteralPath = "LiteralPath";

    /// <summary>Components; all where none is named.</summary>
    [Parameter(Position = 0, ParameterSetName = ByQuery)]
    public Component[] Component { get; set; } = [];

    /// <summary>Names; wildcards.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Types; all where none is named.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    public BackupType[] Type { get; set; } = [];

    /// <summary>Stores; the local one where none is named.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    [Parameter(ParameterSetName = ById)]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

    /// <summary>Taken at this moment or later.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    public DateTimeOffset? Since { get; set; }

    /// <summary>Taken before this moment.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    public DateTimeOffset? Before { get; set; }

    /// <summary>The run that made them.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    public string[] RunId { get; set; } = [];

    /// <summary>Versions of models, by the hash of their content or its beginning.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    [ValidateNotNullOrEmpty]
    public string[] Hash { get; set; } = [];

    /// <summary>Only the newest of each component, name and type in its store, where one is not known to be damaged; snapshots only where -Type asks for them.</summary>
    [Parameter(ParameterSetName = ByQuery)]
    public SwitchParameter Latest { get; set; }

    /// <summary>Backups by id.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ById, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(IdCompleter))]
    public string[] Id { get; set; } = [];

    /// <summary>Archives by path, wherever they lie; wildcards.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByPath)]
    [SupportsWildcards]
    public string[] Path { get; set; } = [];

    /// <summary>Archives by path, taken as it stands.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByLiteralPath)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case ById:
                foreach (var id in Id)
                    ShowById(id);
                break;
            case ByPath:
                ShowFiles(Path.SelectMany(path => ArchivePaths.Resolve(SessionState, path, FullPath)));
                break;
            case ByLiteralPath:
                ShowFiles(LiteralPath.Select(FullPath));
                break;
            default:
                ShowQuery();
                break;
        }
    }

    private void ShowQuery()
    {
        var names = Wildcards.Of(Name);
        var found = new List<BotBackup>();
        foreach (var store in Stores)
        {
            Try(() =>
            {
                foreach (var happened in BackupCatalog.List(Session.StoreNamed(store), Stopped))
                {
                    if (happened is Made { Item: BotBackup backup })
                        found.Add(backup);
                    else
                        Relay(happened);
                }
            });
        }

        var wanted = found.Where(backup =>
            (Component.Length == 0 || Component.Contains(backup.Component))
            && (Type.Length == 0 || Type.Contains(backup.Type))
            && names.IsMatch(backup.Name)
            && (RunId.Length == 0 || RunId.Contains(backup.RunId, StringComparer.OrdinalIgnoreCase))
            && (Hash.Length == 0 || (backup.Hash is { } hash && Hash.Any(asked => hash.StartsWith(asked, StringComparison.OrdinalIgnoreCase))))
            && (Since is null || backup.Taken >= Since)
            && (Before is null || backup.Taken < Before));
        // A snapshot is newer than the backup whose restore took it: restoring both would undo the restore.
        if (Latest)
            wanted = wanted.Where(backup => Type.Length > 0 || backup.Type != BackupType.Snapshot).GroupBy(backup => (backup.Component, backup.Name, backup.Type, backup.Store)).Select(group => NewestBackups.Newest(group, WarnOf));
        WriteObject(wanted, enumerateCollection: true);
    }

    private void ShowById(string id)
    {
        foreach (var store in Stores)
            Try(() => WriteObject(BackupCatalog.FindById(Session.StoreNamed(store), id, Stopped)));
    }

    private string[] Stores => Store.Length > 0 ? Store : [Session.Local.Name];

    private void ShowFiles(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            BotBackup? backup = null;
            if (Try(() => backup = BackupCatalog.OpenFile(Session.Local, path, Stopped)))
                WriteObject(backup);
        }
    }
}
