using System.Management.Automation;
using System.Security;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Backs up components: each becomes one archive, sealed, stored, read back and compared.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "BotBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackup))]
public sealed class InvokeBotBackup : ConfiguredCmdlet
{
    /// <summary>What to back up; all that is configured where none is named: the database where DATABASE_URL is set, the configuration files, the folders.</summary>
    [Parameter(Position = 0)]
    [ValidateSet(nameof(Engine.Components.Component.MongoDb), nameof(Engine.Components.Component.Config), nameof(Engine.Components.Component.Volume), nameof(Engine.Components.Component.Model))]
    public Component[] Component { get; set; } = [];

    /// <summary>Names of folders, <c>config</c> or <c>mongodb</c>; wildcards.</summary>
    [Parameter]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Stores, in place of those that the settings name.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

    /// <summary>A codec in place of COMPRESSION.</summary>
    [Parameter]
    [ValidateSet("gzip")]
    public string? Compression { get; set; }

    /// <summary>A passphrase in place of GPG_PASSPHRASE_FILE.</summary>
    [Parameter]
    public SecureString? Passphrase { get; set; }

    /// <summary>Public keys to encrypt to, in place of GPG_RECIPIENT.</summary>
    [Parameter]
    public string[] Recipient { get; set; } = [];

    /// <summary>Do not encrypt.</summary>
    [Parameter]
    public SwitchParameter NoEncryption { get; set; }

    /// <summary>Threads that compress; one a processor where none is given.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var names = Wildcards.Of(Name);
        var request = new BackupRequest { Components = Component, IsWanted = names.IsMatch, Stores = Store };
        IReadOnlyList<BackupStep> steps = [];
        Try(() => steps = BackupPlanner.Plan(Session, request, Fail, Stopped));
        var approved = steps.Where(step => ShouldProcess(step.Target, step.Action)).ToList();
        if (approved.Count > 0)
            Relay(BackupRunner.Run(Session, approved, Stopped));
    }

    /// <inheritdoc/>
    protected override SessionOptions Options() => new()
    {
        Passphrase = Passphrase,
        Recipients = Recipient,
        NoEncryption = NoEncryption,
        Compression = Compression,
        Threads = ThrottleLimit,
    };
}
