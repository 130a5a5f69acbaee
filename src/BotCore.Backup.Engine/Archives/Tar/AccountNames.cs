using System.Globalization;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Which numbers the names of users and groups stand for; foreign tars name them in ACLs. Immutable, thread-safe.</summary>
public sealed class AccountNames
{
    private readonly Dictionary<string, uint> _users;
    private readonly Dictionary<string, uint> _groups;

    /// <summary>Takes texts in the form of passwd(5) and group(5). Lines that are malformed are passed over.</summary>
    public AccountNames(string passwd, string group)
    {
        _users = Parse(passwd);
        _groups = Parse(group);
    }

    /// <summary>Nobody.</summary>
    public static AccountNames None { get; } = new("", "");

    /// <summary>Reads <c>/etc/passwd</c> and <c>/etc/group</c>; a file that cannot be read knows nobody.</summary>
    public static AccountNames ReadSystem() => new(ReadText("/etc/passwd"), ReadText("/etc/group"));

    /// <summary>The user's number, or null.</summary>
    public uint? FindUser(string name) => _users.TryGetValue(name, out var id) ? id : null;

    /// <summary>The group's number, or null.</summary>
    public uint? FindGroup(string name) => _groups.TryGetValue(name, out var id) ? id : null;

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static Dictionary<string, uint> Parse(string text)
    {
        var ids = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            // The first line of a name wins, as in getpwnam(3).
            if (line.Split(':') is [{ Length: > 0 } name, _, var number, ..]
                && uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                ids.TryAdd(name, id);
        }

        return ids;
    }
}
