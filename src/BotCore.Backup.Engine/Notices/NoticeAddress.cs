using System.Text;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Notices;

/// <summary>A URL that is a secret, taken apart: what may be named is its setting and its host. Immutable.</summary>
internal sealed class NoticeAddress
{
    private readonly Uri _uri;

    /// <summary>Takes it apart.</summary>
    /// <param name="key">The setting it stands in.</param>
    /// <param name="text">The URL.</param>
    public NoticeAddress(string key, SecretUri text)
    {
        Key = key;
        _uri = new Uri(text.Reveal(), UriKind.Absolute);
    }

    public string Key { get; }

    /// <summary>Host, and port where it is not the usual one: all of it that may be shown.</summary>
    public string Host => _uri.IsDefaultPort ? _uri.Host : _uri.Authority;

    public bool IsLoopback => _uri.IsLoopback;

    /// <summary>A login within the URL, as Basic authentication has it; null where there is none.</summary>
    public string? Login => _uri.UserInfo.Length == 0 ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(_uri.UserInfo)));

    /// <summary>Where to, with <paramref name="suffix"/> behind the path and before the query.</summary>
    public Uri To(string suffix = "")
    {
        var path = suffix.Length == 0 ? _uri.AbsolutePath : _uri.AbsolutePath.TrimEnd('/') + suffix;
        return new Uri($"{_uri.Scheme}://{_uri.Authority}{path}{_uri.Query}", UriKind.Absolute);
    }

    public override string ToString() => Host;
}
