using System.Text;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// A URI that carries, or is, a secret: a connection string with a password, a webhook whose path is the key. It is kept as the text it is, since
/// a MongoDB connection string (several hosts) is no <see cref="Uri"/>. <see cref="ToString"/> gives <see cref="Redacted"/>. Immutable and thread-safe.
/// </summary>
public sealed class SecretUri : IEquatable<SecretUri>
{
    // In a query these words mark a value that must not be shown (MongoDB connection string options, presigned URLs).
    private static readonly string[] SecretWords = ["password", "passwd", "pwd", "secret", "token", "key", "signature", "credential", "mechanismproperties"];

    private readonly Secret _text;

    private SecretUri(string text, string redacted)
    {
        _text = new Secret(text);
        Redacted = redacted;
    }

    /// <summary>What may be shown and logged: <c>mongodb://user:***@host/db</c>, <c>https://hooks.example/***</c>.</summary>
    public string Redacted { get; }

    /// <summary>A URI whose password and secret query values are hidden, and nothing else.</summary>
    public static SecretUri WithPassword(string text) => new(text, Redact(text));

    /// <summary>A URI of which only scheme and host may be shown.</summary>
    public static SecretUri WithSecretPath(string text)
    {
        var redacted = Redact(text);
        var authority = redacted.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0)
            return new SecretUri(text, Secret.Mask);
        var end = redacted.AsSpan(authority + 3).IndexOfAny("/?#");
        return new SecretUri(text, end < 0 ? redacted : redacted[..(authority + 3 + end)] + "/" + Secret.Mask);
    }

    /// <summary>The whole text, for the one call that needs it.</summary>
    public string Reveal() => _text.Reveal();

    /// <summary>
    /// Hides the password in <paramref name="uri"/>, and query values whose names say that they are secret. In doubt it hides more: everything between
    /// the scheme and the last <c>@</c> counts as user information, since passwords with an unescaped <c>/</c> or <c>@</c> are seen in the field.
    /// </summary>
    public static string Redact(string uri)
    {
        var scheme = uri.IndexOf("://", StringComparison.Ordinal);
        var start = scheme < 0 ? 0 : scheme + 3;
        var at = uri.LastIndexOf('@');
        var text = new StringBuilder(uri.Length);
        text.Append(uri, 0, start);
        if (at >= start)
            text.Append(RedactUser(uri.AsSpan(start, at - start), uri.AsSpan(0, start))).Append('@');
        var rest = uri.AsSpan(at >= start ? at + 1 : start);
        var query = rest.IndexOf('?');
        if (query < 0)
            return text.Append(rest).ToString();
        text.Append(rest[..(query + 1)]);
        AppendQuery(text, rest[(query + 1)..]);
        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(SecretUri? other) => other is not null && _text.Equals(other._text);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SecretUri);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode();

    /// <summary>The same as <see cref="Redacted"/>.</summary>
    public override string ToString() => Redacted;

    private static string RedactUser(ReadOnlySpan<char> user, ReadOnlySpan<char> scheme)
    {
        var colon = user.IndexOf(':');
        if (colon >= 0)
            return $"{user[..colon]}:{Secret.Mask}";
        // A lone user name says who logs in; under http it is as often a token.
        return scheme.StartsWith("mongodb", StringComparison.OrdinalIgnoreCase) && user.IndexOfAny("/?#@") < 0 ? user.ToString() : Secret.Mask;
    }

    private static void AppendQuery(StringBuilder text, ReadOnlySpan<char> query)
    {
        var first = true;
        foreach (var range in query.Split('&'))
        {
            if (!first)
                text.Append('&');
            first = false;
            var pair = query[range];
            var equals = pair.IndexOf('=');
            if (equals >= 0 && IsSecretName(pair[..equals]))
                text.Append(pair[..(equals + 1)]).Append(Secret.Mask);
            else
                text.Append(pair);
        }
    }

    private static bool IsSecretName(ReadOnlySpan<char> name)
    {
        foreach (var word in SecretWords)
        {
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
