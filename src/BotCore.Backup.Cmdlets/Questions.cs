using System.Management.Automation;

namespace BotCore.Backup.Cmdlets;

/// <summary>
/// Asks before something is overwritten or removed: -WhatIf always wins, then -Force or an explicit -Confirm:$false answer, then a person does.
/// </summary>
internal sealed class Questions(PSCmdlet command, bool force)
{
    private bool _yesToAll;
    private bool _noToAll;

    public bool Approve(string target, string action, string question)
    {
        if (!command.ShouldProcess(target, action))
            return false;
        return force || SaidNotToAsk() || command.ShouldContinue(question, action, ref _yesToAll, ref _noToAll);
    }

    private bool SaidNotToAsk() =>
        command.MyInvocation.BoundParameters.TryGetValue("Confirm", out var confirm) && confirm is SwitchParameter { IsPresent: false };
}
