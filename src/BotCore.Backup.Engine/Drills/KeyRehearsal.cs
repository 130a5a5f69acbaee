using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Drills;

/// <summary>Whether a copy of the key, kept elsewhere, opens the newest and the oldest encrypted backup of every store. The key on this machine proves nothing here: it is the one that is lost. One thread.</summary>
internal sealed class KeyRehearsal(BackupSession session, BackupSession? copy, Func<string, string, Func<string>, bool> step, CancellationToken token)
{
    public void Run()
    {
        foreach (var name in session.Configuration.EnabledStores)
        {
            IReadOnlyList<BotBackup> sealedOnes = [];
            if (!step("Find", $"encrypted backups in {name}", () =>
            {
                sealedOnes = [.. BackupCatalog.List(session.StoreNamed(name), "", token, session.Clock).OfType<Made>().Select(made => (BotBackup)made.Item)
                    .Where(backup => backup.Encryption is Encryption.Passphrase or Encryption.Recipients && backup is { IsDamaged: false, Type: not BackupType.Snapshot }).OrderBy(backup => backup.Taken)];
                return sealedOnes.Count > 0 ? $"There are {sealedOnes.Count}." : throw new BackupException(FailureKind.BackupNotFound, $"{name} has no encrypted backup to try a key on.", "Make one, or leave this drill out where nothing is encrypted.", name);
            }))
            {
                continue;
            }

            // By each way of encryption: one key may be there and the other not.
            foreach (var way in sealedOnes.GroupBy(backup => backup.Encryption))
            {
                foreach (var backup in new[] { way.Last(), way.First() }.DistinctBy(backup => backup.Key, StringComparer.Ordinal))
                    step("Open", $"{backup.Key} in {name}", () => Open(backup));
            }
        }
    }

    private string Open(BotBackup backup)
    {
        if (backup.Encryption == Encryption.Passphrase && copy is null)
        {
            throw new BackupException(
                FailureKind.PassphraseMissing, "No copy of the passphrase was given, and the one on this machine is taken for lost.", "Give the copy that is kept elsewhere with -Passphrase, or name a file of it in DRILL_KEY_FILE.", backup);
        }

        using var raw = backup.Source.OpenRead(backup.Key, 0, token);
        if (backup.Encryption == Encryption.Recipients)
        {
            var (_, compressed) = session.Keys.Decrypt(raw, backup.Location);
            using (compressed)
                compressed.ReadExactly(new byte[1]);
            return "A key that gpg has here opens it.";
        }

        return copy!.Keys.Probe(raw) is not null ? "The copy of the passphrase opens it."
            : throw new BackupException(FailureKind.WrongPassphrase, $"The copy of the passphrase does not open {backup.Location}.", "Find the passphrase that was in use when it was made, and keep a copy of it.", backup);
    }
}
