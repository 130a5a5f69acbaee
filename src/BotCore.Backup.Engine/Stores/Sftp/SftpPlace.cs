using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>From keys to paths on the server and to URIs for people. Immutable.</summary>
internal sealed class SftpPlace
{
    private readonly string _root;
    private readonly string _uri;

    public SftpPlace(SftpStoreOptions options)
    {
        var folder = options.Folder.Trim();
        if (folder is "~" or "~/" or "." or "./")
            folder = "";
        if (folder.StartsWith("~/", StringComparison.Ordinal))
            folder = folder[2..];
        _root = folder.Length > 1 ? folder.TrimEnd('/') : folder;
        var server = options.Server;
        Host = server.Host.Contains(':', StringComparison.Ordinal) ? $"[{server.Host}]" : server.Host;
        var user = server.User is { } name ? name + "@" : "";
        var port = server.Port is { } number ? ":" + number.ToString(CultureInfo.InvariantCulture) : "";
        _uri = $"sftp://{user}{Host}{port}{(_root.StartsWith('/') ? _root : ("/~/" + _root).TrimEnd('/'))}";
        Location = _uri;
        KnownAs = server.Port is { } at and not 22 ? string.Create(CultureInfo.InvariantCulture, $"[{server.Host}]:{at}") : server.Host;
        KeyScan = server.Port is { } scanned and not 22 ? string.Create(CultureInfo.InvariantCulture, $"ssh-keyscan -p {scanned} {server.Host}") : $"ssh-keyscan {server.Host}";
        Login = $"ssh{(server.Port is { } to ? string.Create(CultureInfo.InvariantCulture, $" -p {to}") : "")}{(server.KeyFile is { } key ? $" -i {key}" : "")} {user}{server.Host}";
    }

    /// <summary>The store as a URI.</summary>
    public string Location { get; }

    public string Host { get; }

    /// <summary>The name that known_hosts has for the server.</summary>
    public string KnownAs { get; }

    /// <summary>Prints the server's host keys.</summary>
    public string KeyScan { get; }

    /// <summary>What a person would type to log in.</summary>
    public string Login { get; }

    /// <summary>The URI of a key.</summary>
    public string Locate(string key) => Checked(key).Length == 0 ? _uri : $"{_uri.TrimEnd('/')}/{key}";

    /// <summary>The path of a key on the server; an empty key is the store's own folder.</summary>
    public string PathOf(string key)
    {
        if (Checked(key).Length == 0)
            return _root.Length == 0 ? "." : _root;
        return _root.Length == 0 ? key : $"{_root.TrimEnd('/')}/{key}";
    }

    /// <summary>The folder that a path stands in; null where there is none above.</summary>
    public static string? Above(string path)
    {
        if (path is "." or "/" or "")
            return null;
        return path.LastIndexOf('/') switch
        {
            < 0 => ".",
            0 => "/",
            var slash => path[..slash],
        };
    }

    // A server on Windows takes a backslash for a slash.
    private string Checked(string key) =>
        key.StartsWith('/') || key.StartsWith('\\') || key.Contains('\0', StringComparison.Ordinal) || key.Split('/', '\\').Contains("..", StringComparer.Ordinal)
            ? throw new BackupException(FailureKind.AccessDenied, $"'{key}' is not inside the store {Location}.", "Use a key without '..'.", key)
            : key;
}
