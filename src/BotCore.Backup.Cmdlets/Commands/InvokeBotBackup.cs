using System.Management.Automation;
using System.Security;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Backs up components: each becomes one archive, sealed, stored, read back and compared.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "BotBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackup))]
public sealed class InvokeBotBackup : ConfiguredCmdlet
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromMinutes(1);

    /// <summary>
    /// What to back up. Where none is named, all that is configured, as one run with one platform time: the database where DATABASE_URL is set, the configuration files, Docker volumes and folders, the models of
    /// MODEL_PATHS. What is not configured is left out, which -Verbose says.
    /// </summary>
    [Parameter(Position = 0)]
    [ValidateSet(nameof(Engine.Components.Component.MongoDb), nameof(Engine.Components.Component.Config), nameof(Engine.Components.Component.Volume), nameof(Engine.Components.Component.Model))]
    public Component[] Component { get; set; } = [];

    /// <summary>Names of folders and models, <c>config</c> or <c>mongodb</c>; wildcards.</summary>
    [Parameter]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>
    /// Full, or what was written or changed since the last backup. Models have no increments: a version is whole, and is made only where the content is another than that of the newest version.
    /// </summary>
    [Parameter]
    [ValidateSet(nameof(BackupType.Full), nameof(BackupType.Incremental))]
    public BackupType Type { get; set; } = BackupType.Full;

    /// <summary>What an increment does where there is nothing that it can go on from: fail, or make a full backup, which begins a new chain.</summary>
    [Parameter]
    public GapAction OnGap { get; set; } = GapAction.Fail;

    /// <summary>Make increments one after the other, until stopped; with -Type Incremental.</summary>
    [Parameter]
    public SwitchParameter Watch { get; set; }

    /// <summary>From one increment of -Watch to the next; a minute where none is given, a second at least.</summary>
    [Parameter]
    public TimeSpan? Interval { get; set; }

    /// <summary>Bytes of entries at which -Watch makes an increment before its time.</summary>
    [Parameter]
    [ValidateRange(1L, long.MaxValue)]
    public long? MaximumSize { get; set; }

    /// <summary>What is done to running containers while a volume that they mount is read: nothing, pause, or stop and start. A container's label botcore.quiesce says it for that one.</summary>
    [Parameter]
    public QuiesceMode Quiesce { get; set; } = QuiesceMode.None;

    /// <summary>Stores, in place of those that the settings name.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

    /// <summary>A codec in place of COMPRESSION, at its usual level; auto measures them on the data and takes the fastest that reaches COMPRESSION_TARGET.</summary>
    [Parameter]
    [ValidateSet("gzip", "bzip2", "xz", "zstd", "auto")]
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

    /// <summary>The most threads that compress; one a processor where none is given. COMPRESSION_MEMORY can lower it.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Invoke-BotBackup", RunKind.Backup, Component);

    /// <inheritdoc/>
    protected override void Finish()
    {
        var names = Wildcards.Of(Name);
        var request = new BackupRequest { Components = Watch && Component.Length == 0 ? [Engine.Components.Component.MongoDb] : Component, Said = WriteVerbose, Warned = WarnOf, IsWanted = names.IsMatch, Stores = Store, Type = Type, OnGap = OnGap, Quiesce = Quiesce, Lost = (subject, failure) => Journal?.Lose(subject, failure) };
        if (Misfit() is { } misfit)
            Fail(misfit);
        IReadOnlyList<BackupStep> steps = [];
        Try(() => steps = BackupPlanner.Plan(Session, request, Fail, Stopped));
        var approved = steps.Where(step => ShouldProcess(step.Target, step.Action)).ToList();
        if (approved.Count == 0)
            return;
        if (!Watch)
            approved.ForEach(step => Journal?.Expect(step.Subject));
        Relay(Watch
            ? BackupRunner.Watch(Session, approved, new WatchOptions { Interval = Interval ?? DefaultInterval, MaximumSize = MaximumSize }, Stopped)
            : BackupRunner.Run(Session, approved, Stopped));
    }

    /// <inheritdoc/>
    protected override void Hear(BackupEvent happened)
    {
        base.Hear(happened);
        // Watching has no end: each increment is told when it is there.
        if (Watch && happened is Made or Failed { About: not null })
            Ending(interrupted: false);
    }

    // Parameters that mean nothing without another one are a slip, and a slip in what is backed up must not pass.
    private Failure? Misfit()
    {
        if (Watch && Type != BackupType.Incremental)
            return new Failure(FailureKind.ConfigurationInvalid, "-Watch makes increments, and this asks for full backups.", "Add -Type Incremental.", nameof(Watch));
        if (!Watch && (Interval is not null || MaximumSize is not null))
            return new Failure(FailureKind.ConfigurationInvalid, "-Interval and -MaximumSize say how -Watch cuts increments, and -Watch is not given.", "Add -Watch, or leave them out.", nameof(Watch));
        if (OnGap != GapAction.Fail && Type != BackupType.Incremental)
            return new Failure(FailureKind.ConfigurationInvalid, "-OnGap says what an increment does, and this asks for full backups.", "Add -Type Incremental.", nameof(OnGap));
        return Interval is { } interval ? WatchOptions.WrongInterval(interval) : null;
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
