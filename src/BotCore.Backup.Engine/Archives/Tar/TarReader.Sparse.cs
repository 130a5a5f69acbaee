namespace BotCore.Backup.Engine.Archives.Tar;

/// <content>Maps of sparse files.</content>
public sealed partial class TarReader
{
    private const int GnuRunLength = 24;
    private const int GnuNumberLength = 12;
    private const int MaximumDigits = 19;

    // Old GNU: four runs in the header, more in blocks of 21 behind it.
    private ArchiveEntry ReadGnuSparse(ArchiveEntry entry, ReadOnlySpan<byte> block, long stored)
    {
        var size = Number(new TarHeaderBlock(block), TarFormat.Field.GnuRealSize, "real size");
        var goesOn = block[TarFormat.Field.GnuSparseGoesOn] != 0;
        var runs = new SparseRuns();
        AddGnuRuns(runs, block[TarFormat.Field.GnuSparse]);
        while (goesOn)
        {
            if (!_input.TryTakeBlock(out var more))
                throw Corrupt("the archive ends inside of its sparse map");
            goesOn = more[TarFormat.Field.GnuSparseExtensionGoesOn] != 0;
            AddGnuRuns(runs, more[..TarFormat.Field.GnuSparseExtensionGoesOn]);
        }

        return SetSparse(entry, runs, size, stored);
    }

    private void AddGnuRuns(SparseRuns runs, ReadOnlySpan<byte> table)
    {
        for (; !table.IsEmpty; table = table[GnuRunLength..])
        {
            if (table[GnuNumberLength] == 0)
                return;
            if (!TarNumber.TryParse(table[..GnuNumberLength], out var offset)
                || !TarNumber.TryParse(table[GnuNumberLength..GnuRunLength], out var length))
                throw Corrupt("its sparse map holds what is no number");
            ThrowIf(runs.Add(offset, length));
        }
    }

    private ArchiveEntry ReadPaxSparse(ArchiveEntry entry, PaxSparse sparse, long stored)
    {
        if (entry.Kind != EntryKind.File)
            throw Corrupt("it has a sparse map and is no file");
        if (sparse.RealSize is not { } size)
            throw Corrupt("its sparse map does not say the size of the file");
        if (!sparse.MapIsInData)
            return SetSparse(entry, sparse.Runs, size, stored);

        var runs = new SparseRuns();
        var mapLength = ReadMap(runs, stored);
        return SetSparse(entry, runs, size, stored - mapLength);
    }

    private ArchiveEntry SetSparse(ArchiveEntry entry, SparseRuns runs, long size, long stored)
    {
        ThrowIf(runs.Finish(size, stored, out var map));
        _remaining = stored;
        _skipAfter = TarFormat.Padding(stored);
        return entry with { Size = size, Sparse = map };
    }

    // Version 1.0: count, then offset and length of each run, a decimal number a line, padded to a block.
    private long ReadMap(SparseRuns runs, long stored)
    {
        long taken = 0, count = -1, offset = -1;
        var (number, digits) = (0UL, 0);
        while (count != 0)
        {
            if (taken > stored - TarFormat.BlockSize)
                throw Corrupt("its sparse map is longer than its data");
            if (!_input.TryTakeBlock(out var block))
                throw Corrupt("the archive ends inside of its sparse map");
            taken += TarFormat.BlockSize;
            foreach (var value in block)
            {
                if (value is >= (byte)'0' and <= (byte)'9' && digits < MaximumDigits)
                {
                    number = (number * 10) + (uint)(value - '0');
                    digits++;
                    continue;
                }

                if (value != '\n' || digits == 0 || number > long.MaxValue)
                    throw Corrupt("its sparse map is malformed");
                TakeNumber(runs, (long)number, ref count, ref offset);
                (number, digits) = (0, 0);
                if (count == 0)
                    break;
            }
        }

        return taken;
    }

    private void TakeNumber(SparseRuns runs, long number, ref long count, ref long offset)
    {
        if (count < 0)
        {
            count = number;
        }
        else if (offset < 0)
        {
            offset = number;
        }
        else
        {
            ThrowIf(runs.Add(offset, number));
            (offset, count) = (-1, count - 1);
        }
    }
}
