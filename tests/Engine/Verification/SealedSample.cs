using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>One sealed backup whose files a test may spoil and put right again.</summary>
internal sealed class SealedSample : IDisposable
{
    private readonly byte[] _archive;
    private readonly byte[] _index;
    private readonly byte[] _manifest;
    private readonly byte[] _checksum;

    public SealedSample(string size, bool encrypted)
    {
        Place = new Workplace(encrypted);
        foreach (var (name, length) in ContentOf(size))
            Place.WriteNoise(name, length);
        Backup = Place.BackUp();
        _archive = File.ReadAllBytes(ArchiveFile);
        _index = File.ReadAllBytes(IndexFile);
        _manifest = File.ReadAllBytes(ManifestFile);
        _checksum = File.ReadAllBytes(ChecksumFile);
    }

    public Workplace Place { get; }

    public BotBackup Backup { get; }

    public string ArchiveFile => Backup.Location;

    public string IndexFile => BackupFiles.Index(Backup.Location);

    public string ManifestFile => BackupFiles.Manifest(Backup.Location);

    public string ChecksumFile => BackupFiles.Checksum(Backup.Location);

    public byte[] Archive => [.. _archive];

    public byte[] Index => [.. _index];

    public Manifest Manifest => Backup.Manifest!;

    /// <summary>Every byte of a small archive; of a large one its head, its tail, the surroundings of each member, and a sample between.</summary>
    public IEnumerable<int> Positions()
    {
        if (_archive.Length < 3000)
            return Enumerable.Range(0, _archive.Length);
        var random = new Random(_archive.Length);
        using var index = new Unsealer(Backup, Place.Session.Keys, 1).OpenIndex(Workplace.None);
        // Encryption puts some 60 bytes before the first member, and a byte or two into every 8 KiB.
        var members = index.Read().OfType<IndexMember>().SelectMany(member => new[] { 0L, 1, 12, 47, 63, 75 }.Select(near => member.Offset + near)).ToList();
        return members.Select(position => (int)position)
            .Concat(Enumerable.Range(0, 70))
            .Concat(Enumerable.Range(0, 30).Select(_ => random.Next(_archive.Length)))
            .Concat(Enumerable.Range(_archive.Length - 45, 45))
            .Append(_archive.Length / 2)
            .Where(position => position < _archive.Length)
            .Distinct();
    }

    /// <summary>What a test of the files as they are finds. It is not recorded: thousands of flips are tested.</summary>
    public BotBackupVerification Look(Depth depth = Depth.Archive) =>
        VerificationRunner.Prove(Place.Session, Place.Reopen(Backup), new VerificationOptions { Depth = depth }, _ => { }, _ => { }, Workplace.None);

    public void Flip(int position)
    {
        var bytes = Archive;
        bytes[position] ^= 0x55;
        File.WriteAllBytes(ArchiveFile, bytes);
    }

    /// <summary>Writes the manifest as it is after <paramref name="edit"/>, its HMAC as it was unless that is edited too.</summary>
    public void Edit(Func<Manifest, Manifest> edit) => File.WriteAllBytes(ManifestFile, edit(Manifest).ToJson());

    /// <summary>Makes every hash that needs no key right for the archive and index that stand there.</summary>
    public void Rehash()
    {
        var archive = File.ReadAllBytes(ArchiveFile);
        var index = File.ReadAllBytes(IndexFile);
        var hash = Hash(archive);
        File.WriteAllText(ChecksumFile, $"{hash}  {Path.GetFileName(ArchiveFile)}\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        Edit(manifest => manifest with { Size = archive.Length, Sha256 = hash, IndexSize = index.Length, IndexSha256 = Hash(index) });
    }

    public void PutRight()
    {
        File.WriteAllBytes(ArchiveFile, _archive);
        File.WriteAllBytes(IndexFile, _index);
        File.WriteAllBytes(ManifestFile, _manifest);
        File.WriteAllBytes(ChecksumFile, _checksum);
    }

    public void Dispose() => Place.Dispose();

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static (string Name, int Length)[] ContentOf(string size) => size switch
    {
        "empty" => [],
        "tiny" => [("note.txt", 60)],
        "small" => [("data/a.bin", 70_000), ("data/b.bin", 30_000)],
        "block" => [("big.bin", 1_300_000)],
        "members" => [("a.bin", 2_000_000), ("b/c.bin", 1_500_000), ("b/d.bin", 900_000), ("e.bin", 1_048_576)],
        _ => throw new ArgumentOutOfRangeException(nameof(size)),
    };
}
