using System.Management.Automation;
using System.Management.Automation.Host;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Cmdlets;

/// <summary>
/// Asks before something is overwritten or removed: -WhatIf always wins, then -Force or an explicit -Confirm:$false answer, then a person does.
/// </summary>
internal sealed class Questions(BotBackupCmdlet command, bool force)
{
    private bool _yesToAll;
    private bool _noToAll;

    public bool Approve(string target, string action, string question)
    {
        if (!command.ShouldProcess(target, action))
            return false;
        return force || SaidNotToAsk() || Ask(question, action);
    }

    private bool Ask(string question, string action)
    {
        try
        {
            return command.ShouldContinue(question, action, ref _yesToAll, ref _noToAll);
        }
        catch (Exception mute) when (mute is HostException or InvalidOperationException or NotImplementedException)
        {
            command.Refuse(new Failure(FailureKind.ConfigurationInvalid, $"Somebody has to be asked, and nobody can be asked here: {question}", "Add -Force, or -Confirm:$false, where that is meant; -WhatIf shows what would be done.", action, mute));
            return false;
        }
    }

    private bool SaidNotToAsk() =>
        command.MyInvocation.BoundParameters.TryGetValue("Confirm", out var confirm) && confirm is SwitchParameter { IsPresent: false };
}
