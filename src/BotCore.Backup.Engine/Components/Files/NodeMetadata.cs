using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// Gives restored nodes their owner, mode, attributes and time, in the one order that works: a new owner clears setuid and
/// capabilities, an ACL changes the mode, and everything may change the time. Counts what this user may not do. For one thread.
/// </summary>
internal sealed class NodeMetadata(OwnerMapping owners)
{
    private const int SetUser = 0x800;
    private const int SetGroup = 0x400;
    private const uint Keep = uint.MaxValue;

    private readonly Accounts _accounts = new();
    private readonly byte[] _names = new byte[64 * 1024];
    private long _ownersLost;
    private long _idBitsLost;
    private long _attributesRefused;
    private long _attributesUnsupported;

    /// <summary>What was not kept, each kind said once, with its count.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            var warnings = new List<string>();
            if (_ownersLost > 0)
                warnings.Add($"{_ownersLost} entries did not get their owner or group, since only root may give files away.");
            if (_idBitsLost > 0)
                warnings.Add($"{_idBitsLost} entries lost their setuid or setgid bit, since they did not get the owner or group it was meant for.");
            if (_attributesRefused > 0)
                warnings.Add($"{_attributesRefused} extended attributes were not set, since this user may not set them.");
            if (_attributesUnsupported > 0)
                warnings.Add($"{_attributesUnsupported} extended attributes or ACLs were not set, since the destination's file system does not support them.");
            return warnings;
        }
    }

    /// <summary>Makes the open <paramref name="node"/> what <paramref name="entry"/> says. The node may be new or, as a folder, an old one.</summary>
    public void Apply(NodeHandle node, ArchiveEntry entry)
    {
        var mode = entry.Mode & ~SetOwner(node, entry);
        RemoveOthers(node, entry);
        if (entry.Kind != EntryKind.SymbolicLink)
            Check(node.SetMode(mode), entry, "given its mode");
        foreach (var attribute in entry.Attributes)
            SetAttribute(node, attribute, entry);
        Check(node.SetModified(entry.Modified), entry, "given its time");
    }

    /// <summary>Gives the bits of the mode that must not be set, since the owner or group they speak of is another.</summary>
    private int SetOwner(NodeHandle node, ArchiveEntry entry)
    {
        var user = Id(entry.UserId, entry.UserName, _accounts.UserId);
        var group = Id(entry.GroupId, entry.GroupName, _accounts.GroupId);
        var result = user is null || group is null ? -Errno.EINVAL : node.SetOwner(user.Value, group.Value);
        if (result >= 0)
            return 0;
        // EINVAL: a number that this user namespace does not know.
        if (result is not (-Errno.EPERM or -Errno.EINVAL))
            throw WriteFailure.Exception(-result, entry.Path, "given its owner");
        _ownersLost++;
        var hasUser = user is not null && node.SetOwner(user.Value, Keep) >= 0;
        var hasGroup = group is not null && node.SetOwner(Keep, group.Value) >= 0;
        var lost = (hasUser ? 0 : SetUser) | (hasGroup ? 0 : SetGroup);
        if ((entry.Mode & lost) != 0)
            _idBitsLost++;
        return lost;
    }

    private uint? Id(long number, string name, Func<string, uint?> find) =>
        (owners == OwnerMapping.ByName && name.Length > 0 ? find(name) : null) ?? (number is >= 0 and < Keep ? (uint)number : null);

    /// <summary>
    /// Takes away ACLs that came from the folder above, and what an old folder had, unless the archive has them as well.
    /// Namespaces of the system (security, trusted) are let be.
    /// </summary>
    private void RemoveOthers(NodeHandle node, ArchiveEntry entry)
    {
        var length = node.ListAttributes(_names);
        if (length <= 0)
            return;
        var rest = _names.AsSpan(0, length);
        while (!rest.IsEmpty)
        {
            var name = rest[..(rest.IndexOf((byte)0) + 1)];
            rest = rest[name.Length..];
            if (!name.StartsWith("user."u8) && !name.StartsWith("system.posix_acl_"u8))
                continue;
            if (!Has(entry, name[..^1]) && node.RemoveAttribute(name) is < 0 and not -Errno.ENODATA and var error)
                throw WriteFailure.Exception(-error, entry.Path, "freed of an attribute that the archive does not hold");
        }
    }

    private static bool Has(ArchiveEntry entry, ReadOnlySpan<byte> name)
    {
        foreach (var attribute in entry.Attributes)
            if (name.SequenceEqual(Encoding.UTF8.GetBytes(attribute.Name)))
                return true;
        return false;
    }

    private void SetAttribute(NodeHandle node, ExtendedAttribute attribute, ArchiveEntry entry)
    {
        switch (node.SetAttribute(DurableFile.Terminated(attribute.Name), attribute.Value))
        {
            case >= 0:
                break;
            case -Errno.ENOTSUP:
                _attributesUnsupported++;
                break;
            case -Errno.EPERM or -Errno.EACCES:
                _attributesRefused++;
                break;
            case var error:
                throw WriteFailure.Exception(-error, entry.Path, $"given its attribute {attribute.Name}");
        }
    }

    private static void Check(int result, ArchiveEntry entry, string doing)
    {
        if (result < 0)
            throw WriteFailure.Exception(-result, entry.Path, doing);
    }
}
