namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>Who asks, and how a token for it is asked for. Immutable; holds secrets that no member gives away.</summary>
internal abstract class GoogleCredentials
{
    /// <summary>What may be done with a token: read and write objects, nothing else of the project.</summary>
    public const string Scope = "https://www.googleapis.com/auth/devstorage.read_write";

    /// <summary>For people: which account, from where.</summary>
    public abstract string Account { get; }

    /// <summary>The project that pays for the requests, where it is another than the bucket's.</summary>
    public virtual string? QuotaProject => null;

    /// <summary>Whether it is the metadata server: it is not behind a proxy, and where it does not answer there is none.</summary>
    public virtual bool IsMachine => false;

    /// <summary>The request for a token.</summary>
    public abstract HttpRequestMessage Ask(DateTimeOffset now);
}

/// <summary>A token that requests are made with.</summary>
/// <param name="Value">The secret.</param>
/// <param name="RenewAt">When the next one is to be asked for; some time before it expires.</param>
internal sealed record AccessToken(string Value, DateTimeOffset RenewAt)
{
    // A metadata server gives the same token again until so long before its end.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(225);

    /// <summary>Of a token that lives from <paramref name="now"/> for <paramref name="lifetime"/>.</summary>
    public static AccessToken Of(string value, DateTimeOffset now, TimeSpan lifetime) => new(value, now + lifetime - (lifetime > 2 * Early ? Early : lifetime / 2));

    /// <inheritdoc/>
    public override string ToString() => "AccessToken";
}
