using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Compression.Native;

/// <summary>
/// Reads a stream of any number of members in sequence through a library's decoder, in constant memory. Strict: an empty stream, an end inside a member and bytes behind the last one are
/// damage. Once it threw, it throws: it never ends a damaged stream quietly. Not thread-safe.
/// </summary>
/// <param name="compressed">The stream.</param>
/// <param name="decoder">The decoder; owned.</param>
/// <param name="padding">What may stand between and behind members.</param>
/// <param name="name">The format's name, for messages.</param>
/// <param name="leaveOpen">Whether <paramref name="compressed"/> stays open.</param>
internal sealed class MemberStreamReader(Stream compressed, IMemberDecoder decoder, MemberPadding padding, string name, bool leaveOpen) : ForwardStream
{
    private const int InputLength = 1 << 16;

    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(InputLength);
    private ExceptionDispatchInfo? _failure;
    private int _start;
    private int _end;
    private bool _inMember;
    private bool _begun;
    private bool _ended;
    private bool _disposed;

    public override bool CanRead => !_disposed;

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _failure?.Throw();
        if (buffer.IsEmpty)
            return 0;
        try
        {
            while (!_ended)
            {
                if (!_inMember && !NextMember())
                    break;
                if (Decode(buffer) is > 0 and var produced)
                    return produced;
            }

            return 0;
        }
        catch (Exception e)
        {
            // Also after an error of the source: what the decoder holds is then of no use.
            _failure = ExceptionDispatchInfo.Capture(e);
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            decoder.Dispose();
            if (!leaveOpen)
                compressed.Dispose();
        }

        base.Dispose(disposing);
    }

    // Output that the decoder holds back comes before more input is read: a pipe must not be waited for without need.
    private int Decode(Span<byte> buffer)
    {
        var had = _end - _start;
        var ended = decoder.Decode(_input.AsSpan(_start, had), buffer, out var consumed, out var produced);
        _start += consumed;
        _inMember = !ended;
        if (ended || produced > 0)
            return produced;
        // A decoder that takes nothing and gives nothing would be asked for ever.
        if (had > 0 && consumed == 0)
            throw new InvalidDataException($"The {name} stream is damaged.");
        return Fill() ? 0 : throw new InvalidDataException($"The {name} stream ends early.");
    }

    private bool NextMember()
    {
        if (_begun && SkipPadding())
        {
            _ended = true;
            return false;
        }

        decoder.Begin();
        _begun = _inMember = true;
        return true;
    }

    /// <summary>Whether the stream ends here, or behind the zeros that follow.</summary>
    private bool SkipPadding()
    {
        long zeros = 0;
        var more = Fill();
        for (; padding != MemberPadding.None && more && _input[_start] == 0; more = Fill())
        {
            _start++;
            zeros++;
        }

        if (padding == MemberPadding.ZerosInFours && zeros % 4 != 0)
            throw new InvalidDataException($"The {name} stream is damaged: its padding is not a multiple of four bytes.");
        if (padding == MemberPadding.ZerosAtEnd && zeros > 0 && more)
            throw new InvalidDataException($"Bytes that are not {name} data follow the {name} stream.");
        return !more;
    }

    /// <summary>Makes sure that there is input; false at the end of the stream.</summary>
    private bool Fill()
    {
        if (_start < _end)
            return true;
        _start = 0;
        _end = compressed.Read(_input);
        return _end > 0;
    }
}
