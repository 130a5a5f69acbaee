namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Whose a restored entry becomes.</summary>
internal enum OwnerMapping
{
    /// <summary>The numbers of the archive, as containers and their volumes want it.</summary>
    Numeric = 0,

    /// <summary>Who has the archive's names on this machine; the numbers where a name is empty or unknown here.</summary>
    ByName,
}
