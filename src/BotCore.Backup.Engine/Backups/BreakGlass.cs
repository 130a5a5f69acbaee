using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>The text in every store that says how to restore with stock tools alone. The commands in it are run by a test.</summary>
public static class BreakGlass
{
    /// <summary>Its key in a store.</summary>
    public const string Key = "RECOVER.txt";

    private static readonly Lazy<byte[]> Text = new(Read);

    /// <summary>The text, UTF-8.</summary>
    public static ReadOnlyMemory<byte> Content => Text.Value;

    /// <summary>Puts the text into <paramref name="store"/>, where it is not there yet or is another version's. No backup is worth less without it, so what goes wrong is only told.</summary>
    internal static void Leave(IStore store, Action<BackupEvent> tell)
    {
        try
        {
            Leave(store);
        }
        catch (BackupException wrong)
        {
            tell(new Warned($"{wrong.Failure.Message} The text that says how to restore without this module may be missing in {store.Location}."));
        }
    }

    private static void Leave(IStore store)
    {
        if (store.Find(Key, CancellationToken.None) is { } there)
        {
            if (there.Length == Text.Value.Length)
                return;
            store.Delete(Key, CancellationToken.None);
        }

        Publication.Put(store, Key, Text.Value, runId: null, CancellationToken.None);
    }

    private static byte[] Read()
    {
        using var stream = typeof(BreakGlass).Assembly.GetManifestResourceStream(Key) ?? throw new InvalidOperationException($"The assembly lacks {Key}.");
        var text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }
}
