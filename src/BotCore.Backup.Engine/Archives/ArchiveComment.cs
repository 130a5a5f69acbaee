namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// What stands in the tar's global header: whose archive it is and which. Stock tar stays silent about it, and it lets us tell an archive of ours that lost
/// its manifest, or that stands under another's name, from a foreign one.
/// </summary>
internal static class ArchiveComment
{
    private const string Prefix = "botcore-backup ";

    public static string Of(string id) => Prefix + id;

    /// <summary>The id in a comment; null where the comment is not ours.</summary>
    public static string? IdOf(string? comment) =>
        comment is not null && comment.StartsWith(Prefix, StringComparison.Ordinal) ? comment[Prefix.Length..] : null;
}
