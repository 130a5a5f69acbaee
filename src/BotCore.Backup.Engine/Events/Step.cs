namespace BotCore.Backup.Engine.Events;

/// <summary>One thing that a run would do. -WhatIf prints it, Confirm asks for it, and the run does exactly it.</summary>
/// <param name="Target">On what.</param>
/// <param name="Action">What, in the imperative: <c>Back up 1,204 entries (3.1 GiB) of config</c>.</param>
public abstract record Step(string Target, string Action);
