using System.Security.Cryptography;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

/// <summary>Memory is the whole process's, so no other test may run beside.</summary>
[CollectionDefinition(nameof(SftpMemoryTests), DisableParallelization = true)]
[Collection(nameof(SftpMemoryTests))]
[NeedsTools("sshd", "ssh", "ssh-keygen")]
public sealed class SftpMemoryTests(SftpPlaceFixture place) : IClassFixture<SftpPlaceFixture>
{
    private static CancellationToken None => CancellationToken.None;

    [ServerFact]
    public void A_hundred_megabytes_come_back_and_little_memory_is_held()
    {
        const int size = 150 << 20;
        using var store = place.Open(place.NewFolder());
        store.Find("a", None);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = RandomNumberGenerator.GetBytes(1 << 20);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long highest = 0;
        using (var writer = store.Create("volumes/big", None))
        {
            for (var written = 0; written < size; written += part.Length)
            {
                part[0]++;
                hash.AppendData(part);
                writer.Write(part);
                if (written % (16 << 20) == 0)
                    highest = Math.Max(highest, GC.GetTotalMemory(forceFullCollection: true));
            }

            writer.Commit();
        }

        var sent = hash.GetHashAndReset();
        using (var stream = store.OpenRead("volumes/big", 0, None))
        {
            long got = 0;
            for (int read; (read = stream.Read(part)) > 0; got += read)
            {
                hash.AppendData(part.AsSpan(0, read));
                if (got % (16 << 20) < read)
                    highest = Math.Max(highest, GC.GetTotalMemory(forceFullCollection: true));
            }
        }

        Assert.Equal(sent, hash.GetHashAndReset());
        Assert.InRange(highest - before, 0, 40 << 20);
    }
}
