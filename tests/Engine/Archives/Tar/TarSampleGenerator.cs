using System.Buffers.Binary;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>Entries with all that is odd, from a seed.</summary>
internal sealed class TarSampleGenerator(int seed)
{
    private readonly Random _random = new(seed);

    internal List<TarSample> Samples()
    {
        var samples = new List<TarSample> { TarSample.Directory(".") };
        for (var count = _random.Next(1, 12); count > 0; count--)
            samples.Add(Sample());
        return samples;
    }

    private TarSample Sample()
    {
        var kind = (EntryKind)_random.Next((int)EntryKind.File, (int)EntryKind.BlockDevice + 1);
        var isLink = kind is EntryKind.SymbolicLink or EntryKind.HardLink;
        var isDevice = kind is EntryKind.CharacterDevice or EntryKind.BlockDevice;
        var content = kind == EntryKind.File ? Bytes(Pick(0, 1, 511, 512, 513, _random.Next(5000))) : [];
        var entry = new ArchiveEntry
        {
            Path = new EntryPath(PathBytes()),
            Kind = kind,
            Mode = _random.Next(0x1000),
            UserId = Pick<long>(0, 1000, 2097151, 2097152, uint.MaxValue - 1),
            GroupId = Pick<long>(0, 1000, 2097151, 2097152, uint.MaxValue - 1),
            UserName = Pick("", "root", new string('u', 31), new string('u', 32), "jürgen", new string('ü', 20)),
            GroupName = Pick("", "root", new string('g', 40)),
            Modified = new UnixTime(
                Pick(0, 1, -1, 1763431200, 8589934591, 8589934592, long.MinValue, long.MaxValue, -_random.Next()),
                Pick(0, 1, 500_000_000, 999_999_999, _random.Next(1_000_000_000))),
            Size = content.Length,
            LinkTarget = isLink ? new EntryPath(PathBytes()) : default,
            DeviceMajor = isDevice ? Pick(0u, 8u, 2097152u, uint.MaxValue) : 0,
            DeviceMinor = isDevice ? Pick(0u, 8u, 2097152u, uint.MaxValue) : 0,
            Attributes = Attributes(),
        };
        return kind == EntryKind.File && _random.Next(3) == 0 ? Sparse(entry) : new TarSample(entry, content);
    }

    private TarSample Sparse(ArchiveEntry entry)
    {
        var runs = new List<SparseRun>();
        var end = 0L;
        for (var count = Pick(0, 1, 3, 60); count > 0; count--)
        {
            var run = new SparseRun(end + Pick(0, 1, 4096, 1L << _random.Next(50)), count == 1 ? Pick(1, 511, 512, _random.Next(1, 2000)) : Pick(512, 1024));
            runs.Add(run);
            end = run.Offset + run.Length;
        }

        var sparse = entry with { Sparse = runs, Size = end + Pick(0, 1, 1L << 40, long.MaxValue - end) };
        return new TarSample(sparse, Bytes((int)sparse.DataLength));
    }

    // No leading or trailing slash, no "./" at the start: what the contract of EntryPath rules out.
    private byte[] PathBytes()
    {
        var path = Bytes(Pick(1, 5, 99, 100, 101, 155, 156, 255, 256, 257, _random.Next(1, 600)));
        for (var at = 0; at < path.Length; at++)
        {
            if (path[at] is 0 or (byte)'/' or (byte)'.')
                path[at] = (byte)'x';
            else if (at > 0 && at < path.Length - 1 && path[at - 1] != '/' && _random.Next(20) == 0)
                path[at] = (byte)'/';
        }

        return path;
    }

    private List<ExtendedAttribute> Attributes()
    {
        var attributes = new List<ExtendedAttribute>();
        if (_random.Next(3) != 0)
            return attributes;
        for (var count = Pick(1, 3, 40); count > 0; count--)
            attributes.Add(new ExtendedAttribute($"user.{Pick("a", "a=b", "50%", "%3D", "ü", "with space")}{count}", Bytes(_random.Next(40))));
        attributes.Add(new ExtendedAttribute("system.posix_acl_access", Acl()));
        attributes.Add(new ExtendedAttribute("system.posix_acl_default", _random.Next(2) == 0 ? Acl() : Bytes(_random.Next(30))));
        return attributes;
    }

    private byte[] Acl()
    {
        (ushort Tag, uint Id)[] entries = [(1, uint.MaxValue), (2, 0), (2, 4000000000), (4, uint.MaxValue), (8, 7), (16, uint.MaxValue), (32, uint.MaxValue)];
        var acl = new byte[4 + (8 * entries.Length)];
        acl[0] = 2;
        for (var at = 0; at < entries.Length; at++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(acl.AsSpan(4 + (8 * at)), entries[at].Tag);
            acl[4 + (8 * at) + 2] = (byte)_random.Next(8);
            BinaryPrimitives.WriteUInt32LittleEndian(acl.AsSpan(4 + (8 * at) + 4), entries[at].Id);
        }

        return acl;
    }

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];
}
