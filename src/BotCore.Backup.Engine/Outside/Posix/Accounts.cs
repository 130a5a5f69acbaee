using System.Runtime.InteropServices;
using System.Text;

namespace BotCore.Backup.Engine.Outside.Posix;

/// <summary>
/// Names of users and groups and back, as the machine's name service has them (files, LDAP ...), each asked once.
/// Not for use by several threads at a time.
/// </summary>
internal sealed partial class Accounts
{
    private const string Libc = "libc";
    private const int LargestRecord = 1 << 20;

    private readonly Dictionary<uint, string> _users = [];
    private readonly Dictionary<uint, string> _groups = [];
    private readonly Dictionary<string, uint?> _userIds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, uint?> _groupIds = new(StringComparer.Ordinal);

    /// <summary>The name of user <paramref name="id"/>; empty where there is none.</summary>
    public string UserName(uint id)
    {
        if (!_users.TryGetValue(id, out var name))
            _users[id] = name = Name(id, user: true);
        return name;
    }

    /// <summary>The name of group <paramref name="id"/>; empty where there is none.</summary>
    public string GroupName(uint id)
    {
        if (!_groups.TryGetValue(id, out var name))
            _groups[id] = name = Name(id, user: false);
        return name;
    }

    /// <summary>The number of the user called <paramref name="name"/>; null where there is none.</summary>
    public uint? UserId(string name)
    {
        if (!_userIds.TryGetValue(name, out var id))
            _userIds[name] = id = Number(name, user: true);
        return id;
    }

    /// <summary>The number of the group called <paramref name="name"/>; null where there is none.</summary>
    public uint? GroupId(string name)
    {
        if (!_groupIds.TryGetValue(name, out var id))
            _groupIds[name] = id = Number(name, user: false);
        return id;
    }

    private static unsafe string Name(uint id, bool user)
    {
        for (var size = 1024; ; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* text = buffer)
            {
                var error = user
                    ? UserById(id, out var record, text, (nuint)size, out var found)
                    : GroupById(id, out record, text, (nuint)size, out found);
                if (error == Errno.ERANGE && size < LargestRecord)
                    continue;
                if (error != 0 || found == 0 || record.Name is null)
                    return "";
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(record.Name);
                return System.Text.Unicode.Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : "";
            }
        }
    }

    private static unsafe uint? Number(string name, bool user)
    {
        var asked = DurableFile.Terminated(name);
        for (var size = 1024; ; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* text = buffer)
            {
                var error = user
                    ? UserByName(asked, out var record, text, (nuint)size, out var found)
                    : GroupByName(asked, out record, text, (nuint)size, out found);
                if (error == Errno.ERANGE && size < LargestRecord)
                    continue;
                return error == 0 && found != 0 ? record.Number : null;
            }
        }
    }

    [LibraryImport(Libc, EntryPoint = "getpwuid_r")]
    private static unsafe partial int UserById(uint id, out Record record, byte* buffer, nuint length, out nint found);

    [LibraryImport(Libc, EntryPoint = "getgrgid_r")]
    private static unsafe partial int GroupById(uint id, out Record record, byte* buffer, nuint length, out nint found);

    [LibraryImport(Libc, EntryPoint = "getpwnam_r")]
    private static unsafe partial int UserByName(ReadOnlySpan<byte> name, out Record record, byte* buffer, nuint length, out nint found);

    [LibraryImport(Libc, EntryPoint = "getgrnam_r")]
    private static unsafe partial int GroupByName(ReadOnlySpan<byte> name, out Record record, byte* buffer, nuint length, out nint found);

    /// <summary>The head that struct passwd and struct group share in glibc and musl; the size has room for both.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private unsafe struct Record
    {
        [FieldOffset(0)]
        public byte* Name;
        [FieldOffset(16)]
        public uint Number;
    }
}
