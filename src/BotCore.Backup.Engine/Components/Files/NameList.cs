using System.Buffers;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>The names in one folder with their types, packed into one pooled buffer, each ended by a NUL for system calls.</summary>
internal sealed class NameList : IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1024);
    private Slot[] _slots = ArrayPool<Slot>.Shared.Rent(32);
    private int _used;

    public int Count { get; private set; }

    /// <summary>The name with its NUL.</summary>
    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_slots[index].Offset, _slots[index].Length + 1);

    /// <summary>The type that the listing told: a DT_ constant, 0 for unknown.</summary>
    public byte TypeOf(int index) => _slots[index].Type;

    public void Add(ReadOnlySpan<byte> name, byte type)
    {
        if (_used + name.Length + 1 > _bytes.Length)
            Grow(ref _bytes, _used, name.Length + 1);
        if (Count == _slots.Length)
            Grow(ref _slots, Count, 1);
        name.CopyTo(_bytes.AsSpan(_used));
        _bytes[_used + name.Length] = 0;
        _slots[Count++] = new Slot(_used, name.Length, type);
        _used += name.Length + 1;
    }

    /// <summary>Sorts by bytes and drops names that are there twice.</summary>
    public void Sort()
    {
        var slots = _slots.AsSpan(0, Count);
        slots.Sort(new ByBytes(_bytes));
        var kept = 0;
        for (var i = 0; i < Count; i++)
            if (kept == 0 || !this[i].SequenceEqual(this[kept - 1]))
                slots[kept++] = slots[i];
        Count = kept;
    }

    public void Dispose()
    {
        if (_bytes.Length == 0)
            return;
        ArrayPool<byte>.Shared.Return(_bytes);
        ArrayPool<Slot>.Shared.Return(_slots);
        (_bytes, _slots, Count) = ([], [], 0);
    }

    private static void Grow<T>(ref T[] array, int used, int more)
    {
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(array.Length * 2, used + more));
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }

    private readonly record struct Slot(int Offset, int Length, byte Type);

    private readonly struct ByBytes(byte[] bytes) : IComparer<Slot>
    {
        public int Compare(Slot x, Slot y) => bytes.AsSpan(x.Offset, x.Length).SequenceCompareTo(bytes.AsSpan(y.Offset, y.Length));
    }
}
