using System.Buffers.Binary;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// The hash of a file's content that does not depend on where its holes are: it covers each page of 4 KiB that is not all zeros, with its number. A file system may
/// keep a run of zeros as a hole or not, and a sparse file of a terabyte costs what its data costs. Not thread-safe.
/// </summary>
internal sealed class ContentHash : IDisposable
{
    private const int PageSize = 4096;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IReadOnlyList<SparseRun> _runs;
    private readonly byte[] _page = new byte[PageSize];
    private long _number = -1;
    private int _run;
    private long _done;

    /// <summary>For the content of <paramref name="entry"/>, as an archive or a walk gives it: only its runs, when sparse.</summary>
    public ContentHash(ArchiveEntry entry) => _runs = entry.Sparse ?? [new SparseRun(0, long.MaxValue)];

    public void Append(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            while (_run < _runs.Count - 1 && _done == _runs[_run].Length)
                (_run, _done) = (_run + 1, 0);
            var run = _runs[_run];
            var offset = run.Offset + _done;
            var inPage = (int)(offset % PageSize);
            var part = content[..(int)Math.Min(Math.Min(content.Length, PageSize - inPage), run.Length - _done)];
            Place(offset / PageSize, inPage, part);
            _done += part.Length;
            content = content[part.Length..];
        }
    }

    public string Finish()
    {
        FlushPage();
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private void Place(long number, int inPage, ReadOnlySpan<byte> part)
    {
        if (number != _number)
        {
            FlushPage();
            _number = number;
            _page.AsSpan().Clear();
        }

        part.CopyTo(_page.AsSpan(inPage));
    }

    private void FlushPage()
    {
        if (_number < 0 || !_page.AsSpan().ContainsAnyExcept((byte)0))
            return;
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, _number);
        _hash.AppendData(number);
        _hash.AppendData(_page);
    }
}
