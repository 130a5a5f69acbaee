using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// A text that must not be shown. Its <see cref="ToString"/>, and so every record, message and format string that holds it, gives <c>***</c>;
/// only <see cref="Reveal"/> gives the text. Immutable and thread-safe. It is a .NET string: it stays in memory until it is collected.
/// </summary>
public sealed class Secret : IEquatable<Secret>
{
    /// <summary>What is shown instead.</summary>
    public const string Mask = "***";

    private readonly string _text;

    /// <summary>Holds <paramref name="text"/>.</summary>
    public Secret(string text) => _text = text;

    /// <summary>The text itself, for the one call that needs it.</summary>
    public string Reveal() => _text;

    /// <inheritdoc/>
    public bool Equals(Secret? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(_text), Encoding.UTF8.GetBytes(other._text));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => Mask;
}
