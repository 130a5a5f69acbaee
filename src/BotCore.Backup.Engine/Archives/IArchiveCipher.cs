namespace BotCore.Backup.Engine.Archives;

/// <summary>Encrypts one archive and its index. Disposing wipes the key.</summary>
internal interface IArchiveCipher : IDisposable
{
    /// <summary>What it does, for the manifest.</summary>
    Encryption Encryption { get; }

    /// <summary>What it adds to the file name: <c>.gpg</c> or nothing.</summary>
    string Suffix { get; }

    /// <summary>A new message into <paramref name="output"/>, which stays open.</summary>
    CipherWriter OpenWriter(Stream output);

    /// <summary>The manifest with what proves that it belongs to the archive, as far as this cipher can.</summary>
    Manifest Authenticate(Manifest manifest);
}

/// <summary>A message being encrypted. Disposing without <see cref="Complete"/> leaves it unfinished, which no reader takes for whole.</summary>
/// <param name="stream">Where the plaintext goes.</param>
/// <param name="complete">Writes the message's end.</param>
internal sealed class CipherWriter(Stream stream, Action complete) : IDisposable
{
    public Stream Stream { get; } = stream;

    public void Complete() => complete();

    public void Dispose() => Stream.Dispose();
}
