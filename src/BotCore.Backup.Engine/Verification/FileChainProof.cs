using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Engine.Verification;

/// <summary>What an increment of files is worth depends on what it stands on: that all of it is there, genuine, and holds what the increment says it holds. The archives before are proven when they are tested, or restored.</summary>
internal static class FileChainProof
{
    /// <summary>Adds to a proof of the increment alone; a flaw makes it Failed.</summary>
    public static BotBackupVerification Add(BackupSession session, BotBackupVerification alone, CancellationToken token)
    {
        var backup = alone.Backup!;
        try
        {
            var chain = FileChains.Load(backup, token);
            new FileChainContent(session, chain).DemandWhole(token);
            return alone with
            {
                Message = string.Create(
                    CultureInfo.InvariantCulture, $"{alone.Message} {(chain.Parts.Count == 2 ? $"What it stands on, {chain.Parts[0].Key}, is there" : $"What it stands on, {chain.Parts.Count - 1:N0} archives from {chain.Parts[0].Key} on, is there")}, and holds by its index what is taken from it: {backup.Manifest!.Increment!.TreeEntries:N0} entries make the tree."),
            };
        }
        catch (BackupException wrong)
        {
            return alone with { Outcome = Outcome.Failed, Proof = Proof.None, IsOfAnother = true, Failure = wrong.Failure, Message = wrong.Failure.Message };
        }
    }
}
