using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>
/// The installed GnuPG, used as a filter for what needs key rings: encryption to public keys, decryption with secret keys through gpg-agent, signatures.
/// No secret stands in its arguments, and nothing is looked up on the network. Thread-safe; the streams it opens are not.
/// </summary>
public sealed class GpgProgram
{
    private readonly string _program;
    private readonly string? _homeDirectory;

    private GpgProgram(string program, string? homeDirectory)
    {
        _program = program;
        _homeDirectory = homeDirectory;
    }

    /// <summary>Finds gpg on the PATH.</summary>
    /// <param name="homeDirectory">gpg's home folder; null for GNUPGHOME or the user's own.</param>
    /// <param name="searchPath">Folders to look in, in the form of PATH; null for PATH itself.</param>
    /// <exception cref="BackupException">ToolMissing.</exception>
    public static GpgProgram Find(string? homeDirectory = null, string? searchPath = null)
    {
        var path = searchPath ?? Environment.GetEnvironmentVariable("PATH") ?? string.Empty;
        var program = Locate(path) ?? throw new BackupException(
            FailureKind.ToolMissing, "gpg is not on the PATH; recipients and signatures need it.", "Install the package gnupg.", "gpg");
        return new GpgProgram(program, homeDirectory);
    }

    /// <summary>
    /// A stream that encrypts what is written to it, in binary and without compression, to <paramref name="output"/>, which stays open. Call
    /// <see cref="GpgEncryptStream.Complete"/> at the end: without it the message is cut off, and <see cref="IDisposable.Dispose"/> abandons it. Recipients that are
    /// all given as full fingerprints (40 hex digits, or 64) need no trust; any other goes by gpg's own trust.
    /// </summary>
    /// <param name="output">Where the OpenPGP message goes; written by another thread until Complete or Dispose returns.</param>
    /// <param name="recipients">Fingerprints, key ids, e-mail addresses: whatever gpg takes.</param>
    /// <param name="token">Cancels: gpg is killed, and the next call throws.</param>
    /// <exception cref="BackupException">ConfigurationInvalid: no recipient. A bad recipient shows at a write or in Complete.</exception>
    public GpgEncryptStream OpenEncryptor(Stream output, IReadOnlyList<string> recipients, CancellationToken token = default)
    {
        token.ThrowIfCancellationRequested();
        var names = recipients.Select(Clean).ToList();
        if (names.Count == 0)
            throw new BackupException(FailureKind.ConfigurationInvalid, "There is no recipient to encrypt to.", "Set GPG_RECIPIENT or give -Recipient.");
        // encrypt-to of gpg.conf would add a reader that nobody named here.
        var arguments = new List<string> { "--no-encrypt-to", "--encrypt", "-z", "0", "--output", "-" };
        if (names.TrueForAll(IsFingerprint))
            arguments.InsertRange(0, ["--trust-model", "always"]);
        foreach (var name in names)
            arguments.AddRange(["--recipient", name]);
        return new GpgEncryptStream(GpgProcess.Start(_program, _homeDirectory, arguments), output, StateOf, token);
    }

    /// <summary>
    /// A stream of the plaintext of <paramref name="input"/>, which stays open. Bytes come before their authentication: only the end of the stream (a read
    /// of 0) says that gpg found the whole message undamaged. Disposing early abandons it.
    /// </summary>
    /// <param name="input">The OpenPGP message; read by another thread until Dispose returns.</param>
    /// <param name="token">Cancels: gpg is killed, and the next call throws.</param>
    public Stream OpenDecryptor(Stream input, CancellationToken token = default)
    {
        token.ThrowIfCancellationRequested();
        return new GpgDecryptStream(GpgProcess.Start(_program, _homeDirectory, ["--decrypt", "--output", "-"]), input, token);
    }

    /// <summary>A detached binary signature (SHA-256) of <paramref name="data"/>.</summary>
    /// <param name="data">What is signed; small.</param>
    /// <param name="keyId">The secret key: fingerprint, key id or e-mail address.</param>
    /// <param name="token">Cancels.</param>
    /// <exception cref="BackupException">CredentialsMissing: no such key, or it is expired, revoked or locked.</exception>
    public byte[] Sign(byte[] data, string keyId, CancellationToken token = default)
    {
        var key = Clean(keyId);
        var (report, signature) = Run(["--local-user", key, "--digest-algo", "SHA256", "--detach-sign", "--output", "-"], data, token);
        return report.ExitCode == 0 && report.Has("SIG_CREATED") && signature.Length > 0
            ? signature
            : throw new BackupException(GpgFailures.Signing(report, key));
    }

    /// <summary>
    /// Checks a detached signature and returns the full fingerprint (upper-case hex) of the signer's primary key. The caller compares it with the one it
    /// expects: every key in the key ring is accepted here, trusted or not. A key that has expired since is accepted, since backups outlive keys; one
    /// that was revoked is not.
    /// </summary>
    /// <param name="data">What was signed.</param>
    /// <param name="signature">The detached signature.</param>
    /// <param name="token">Cancels.</param>
    /// <exception cref="BackupException">ArchiveUnauthenticated.</exception>
    public string Verify(byte[] data, byte[] signature, CancellationToken token = default)
    {
        // gpg takes the signature from a file only; it is no secret, and its folder is ours alone.
        var folder = Directory.CreateTempSubdirectory("botbackup-");
        try
        {
            var file = Path.Combine(folder.FullName, "signature");
            File.WriteAllBytes(file, signature);
            var (report, _) = Run(["--verify", file, "-"], data, token);
            string[] refused = ["BADSIG", "ERRSIG", "REVKEYSIG", "EXPSIG", "NODATA"];
            return report.ExitCode == 0 && !Array.Exists(refused, report.Has) && report.Find("VALIDSIG") is { Arguments: { Count: >= 10 } parts }
                ? parts[9]
                : throw new BackupException(GpgFailures.Unauthenticated(report));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The file of a program on a search path; null where it is not there or cannot be run.</summary>
    internal static string? Locate(string searchPath, string name = "gpg")
    {
        var file = OperatingSystem.IsWindows() ? name + ".exe" : name;
        return searchPath.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .Select(folder => Path.Combine(folder, file))
            .FirstOrDefault(CanRun);
    }

    private static bool CanRun(string path)
    {
        const UnixFileMode execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & execute) != UnixFileMode.None);
    }

    // Fingerprints are printed with spaces and sometimes with 0x.
    private static string Clean(string recipient)
    {
        var packed = recipient.Replace(" ", string.Empty, StringComparison.Ordinal);
        if (packed.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            packed = packed[2..];
        if (IsFingerprint(packed))
            return packed;
        var name = recipient.Trim();
        return name.Length > 0 && !name.Any(char.IsControl)
            ? name
            : throw new BackupException(FailureKind.ConfigurationInvalid, "A key is named by an empty text or one with control characters.", "Name it by its full fingerprint.");
    }

    private static bool IsFingerprint(string name)
    {
        var digits = name.EndsWith('!') ? name[..^1] : name;
        return digits.Length is 40 or 64 && digits.All(char.IsAsciiHexDigit);
    }

    private GpgKeyState StateOf(string recipient)
    {
        var (_, listing) = Run(["--with-colons", "--list-keys", recipient], [], CancellationToken.None);
        var lines = System.Text.Encoding.UTF8.GetString(listing).Split('\n').Select(line => line.Split(':')).Where(fields => fields.Length > 1).ToList();
        var key = lines.Find(fields => fields[0] is "pub");
        if (key is null)
            return GpgKeyState.Unknown;
        // Field 12 holds what a key may do: e is encryption.
        var validity = key[1] is "r" or "e" ? key[1] : lines.Find(fields => fields[0] is "sub" && fields.Length > 11 && fields[11].Contains('e', StringComparison.Ordinal))?[1];
        return validity switch
        {
            "r" => GpgKeyState.Revoked,
            "e" => GpgKeyState.Expired,
            _ => GpgKeyState.Known,
        };
    }

    private (GpgReport Report, byte[] Output) Run(IReadOnlyList<string> arguments, byte[] input, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        using var gpg = GpgProcess.Start(_program, _homeDirectory, arguments);
        using var cancel = token.UnsafeRegister(static process => ((GpgProcess)process!).Kill(), gpg);
        using var source = new MemoryStream(input, writable: false);
        using var feed = new GpgFeed(gpg, source);
        using var output = new MemoryStream();
        gpg.Output.CopyTo(output);
        var report = gpg.Finish();
        if (report.ExitCode != 0)
            token.ThrowIfCancellationRequested();
        return (report, output.ToArray());
    }
}
