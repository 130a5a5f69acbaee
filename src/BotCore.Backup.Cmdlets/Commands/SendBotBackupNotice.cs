using System.Management.Automation;
using BotCore.Backup.Engine.Notices;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Sends a notice through the channels that are configured, or looks whether notices arrive. One object a channel.</summary>
[Cmdlet(VerbsCommunications.Send, "BotBackupNotice", DefaultParameterSetName = ByMessage, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(BotBackupNotice))]
public sealed class SendBotBackupNotice : ConfiguredCmdlet
{
    private const string ByMessage = "Message";
    private const string ByTest = "Test";

    private readonly List<string> _lines = [];

    /// <summary>The text; from the pipeline, a line each.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ByMessage)]
    [AllowEmptyString]
    public string[] Message { get; set; } = [];

    /// <summary>The first line; the name of this machine where none is given.</summary>
    [Parameter(ParameterSetName = ByMessage)]
    [ValidateNotNullOrEmpty]
    public string? Subject { get; set; }

    /// <summary>Through which channels; all that are configured where none is named.</summary>
    [Parameter]
    [ValidateSet("slack", "email", "webhook")]
    public string[] Channel { get; set; } = [];

    /// <summary>Send a test notice. Without -Channel the healthcheck is pinged as well, in a way that changes nothing there.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByTest)]
    public SwitchParameter Test { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _lines.AddRange(Message);

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (!Test && _lines.TrueForAll(string.IsNullOrWhiteSpace))
            return;
        var request = new NoticeRequest(Subject, Test ? "This is a test of the notices; nothing happened." : string.Join('\n', _lines), [.. Channel.Distinct(StringComparer.OrdinalIgnoreCase)], Test);
        NoticeStep? step = null;
        if (Try(() => step = NoticeRunner.Plan(Session, request)) && ShouldProcess(step!.Target, step.Action))
            Relay(NoticeRunner.Run(Session, step, Stopped));
    }
}
