using System.Management.Automation;
using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Cmdlets;

/// <summary>A door that takes backups: from the pipeline, by path with wildcards, or by literal path. An empty pipeline does nothing.</summary>
public abstract class BackupInputCmdlet : ConfiguredCmdlet
{
    /// <summary>Parameter set of backups from the pipeline.</summary>
    protected const string ByObject = "InputObject";

    /// <summary>Parameter set of paths with wildcards.</summary>
    protected const string ByPath = "Path";

    /// <summary>Parameter set of literal paths.</summary>
    protected const string ByLiteralPath = "LiteralPath";

    /// <summary>Backups, as Get-BotBackup and Invoke-BotBackup give them.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByObject)]
    [ValidateNotNull]
    public BotBackup[] InputObject { get; set; } = [];

    /// <summary>Archives by path; wildcards are resolved.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ByPath)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Path { get; set; } = [];

    /// <summary>Archives by path, taken as it stands.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ByLiteralPath)]
    [Alias("PSPath", "LP")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Whether everything that was named by path could be opened so far.</summary>
    protected bool AllOpened { get; private set; } = true;

    /// <summary>The backups that this turn of the pipeline means. What cannot be opened is told and left out; see <see cref="AllOpened"/>.</summary>
    protected IReadOnlyList<BotBackup> Backups() => ParameterSetName switch
    {
        ByObject => InputObject,
        ByPath => [.. Path.SelectMany(path => ArchivePaths.Resolve(SessionState, path, FullPath)).Select(Open).OfType<BotBackup>()],
        _ => [.. LiteralPath.Select(path => Open(FullPath(path))).OfType<BotBackup>()],
    };

    private BotBackup? Open(string path)
    {
        BotBackup? backup = null;
        AllOpened &= Try(() => backup = BackupCatalog.OpenFile(Session.Local, path, Stopped));
        return backup;
    }
}
