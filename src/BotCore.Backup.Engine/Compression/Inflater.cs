using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// Decodes deflate data (RFC 1951) strictly and as it comes. DeflateStream of .NET 10 will not do: it neither tells a stream that ends early from one that ends,
/// nor where in its input the data ended, so that what follows could be checked.
/// </summary>
internal sealed unsafe class Inflater(DeflateInput input)
{
    private const int History = 32 * 1024;
    private const int Room = 128 * 1024;

    // The longest match, two literals before it, and the words by which copies overshoot.
    private const int Slack = 320;

    // One turn of the fast loop takes no more than two words of input.
    private const int FastInput = 16;

    private readonly byte[] _window = new byte[History + Room + Slack];
    private readonly DeflateCode _code = new();
    private State _state;
    private bool _last;
    private int _stored;
    private int _end;

    private enum State
    {
        BlockStart,
        Stored,
        Coded,
        Ended,
    }

    /// <summary>Starts at the input's next byte, with no history.</summary>
    public void Reset()
    {
        _state = State.BlockStart;
        _last = false;
        _end = 0;
    }

    /// <summary>
    /// The next bytes, as many as came at once; empty at the end, and the input then stands at the byte after the data. Valid until the next call.
    /// </summary>
    public ReadOnlyMemory<byte> Read()
    {
        if (_end > History)
        {
            // Matches reach back no further than this.
            _window.AsSpan(_end - History, History).CopyTo(_window);
            _end = History;
        }

        var start = _end;
        while (_state != State.Ended && _end < History + Room)
        {
            switch (_state)
            {
                case State.BlockStart:
                    StartBlock();
                    break;
                case State.Stored:
                    CopyStored();
                    break;
                default:
                    Decode();
                    break;
            }
        }

        return _window.AsMemory(start, _end - start);
    }

    private void StartBlock()
    {
        if (_last)
        {
            input.AlignToByte();
            _state = State.Ended;
            return;
        }

        _last = input.ReadBits(1) == 1;
        switch (input.ReadBits(2))
        {
            case 0:
                input.AlignToByte();
                _stored = (int)input.ReadBits(16);
                if ((_stored ^ 0xFFFF) != input.ReadBits(16))
                    throw DeflateCode.Damaged();
                _state = State.Stored;
                break;
            case 1:
                _code.SetFixed();
                _state = State.Coded;
                break;
            case 2:
                _code.Read(input);
                _state = State.Coded;
                break;
            default:
                throw DeflateCode.Damaged();
        }
    }

    private void CopyStored()
    {
        if (_stored > 0)
        {
            var read = input.Read(_window.AsSpan(_end, Math.Min(_stored, History + Room - _end)));
            if (read == 0)
                throw DeflateInput.Truncated();
            _stored -= read;
            _end += read;
        }

        if (_stored == 0)
            _state = State.BlockStart;
    }

    private void Decode()
    {
        while (_state == State.Coded && _end < History + Room)
        {
            if (input.End - input.Next >= FastInput)
                DecodeFast();
            else
                DecodeSymbol();
        }
    }

    /// <summary>Decodes one symbol with every check; for where the input at hand runs out.</summary>
    private void DecodeSymbol()
    {
        input.Refill();
        var entry = _code.Lengths[input.Bits & ((1 << DeflateCode.LengthRootBits) - 1)];
        if ((entry & HuffmanTable.Second) != 0)
            entry = SecondEntry(_code.Lengths, entry);
        if ((int)entry < 0)
        {
            input.Consume((byte)entry);
            _window[_end++] = (byte)(entry >> 16);
            return;
        }

        if ((entry & HuffmanTable.Exceptional) != 0)
        {
            input.Consume((byte)entry);
            EndBlock(entry);
            return;
        }

        var length = Value(entry);
        input.Refill();
        entry = _code.Distances[input.Bits & ((1 << DeflateCode.DistanceRootBits) - 1)];
        if ((entry & HuffmanTable.Second) != 0)
            entry = SecondEntry(_code.Distances, entry);
        if ((entry & HuffmanTable.Exceptional) != 0)
        {
            // Bits that are no code may be zeros put for bits that are not there.
            throw input.BitCount < HuffmanTable.MaximumLength ? DeflateInput.Truncated() : DeflateCode.Damaged();
        }

        var distance = Value(entry);
        if (distance > _end)
            throw DeflateCode.Damaged();

        for (; length > 0; length--, _end++)
            _window[_end] = _window[_end - distance];
    }

    private uint SecondEntry(uint[] table, uint entry)
    {
        input.Consume((byte)entry);
        return table[(entry >> 16) + (uint)(input.Bits & ((1UL << (int)((entry >> 8) & 31)) - 1))];
    }

    private int Value(uint entry)
    {
        var extra = (uint)((input.Bits & ((1UL << (byte)entry) - 1)) >> (int)((entry >> 8) & 31));
        input.Consume((byte)entry);
        return (int)((entry >> 16) + extra);
    }

    private void EndBlock(uint entry)
    {
        if ((entry & HuffmanTable.EndOfBlock) == 0)
            throw DeflateCode.Damaged();
        _state = State.BlockStart;
    }

    /// <summary>Decodes while a turn surely has enough input and room; so the only checks are those of the data.</summary>
    private void DecodeFast()
    {
        fixed (byte* window = _window, buffer = input.Buffer)
        fixed (uint* lengths = _code.Lengths, distances = _code.Distances)
        {
            var bits = input.Bits;
            var count = input.BitCount;
            var next = buffer + input.Next;
            var nextLimit = buffer + input.End - FastInput;
            var output = window + _end;
            var outputLimit = window + History + Room;
            const uint LengthMask = (1 << DeflateCode.LengthRootBits) - 1;
            const uint DistanceMask = (1 << DeflateCode.DistanceRootBits) - 1;
            uint end = 0;

            while (next <= nextLimit && output < outputLimit)
            {
                Refill(ref bits, ref count, ref next);
                var entry = lengths[(uint)bits & LengthMask];
                if ((int)entry < 0)
                {
                    // Three literals of the root table take 33 bits at most: a length code and its extra bits are still there.
                    bits >>= (int)entry;
                    count -= (byte)entry;
                    *output++ = (byte)(entry >> 16);
                    entry = lengths[(uint)bits & LengthMask];
                    if ((int)entry < 0)
                    {
                        bits >>= (int)entry;
                        count -= (byte)entry;
                        *output++ = (byte)(entry >> 16);
                        entry = lengths[(uint)bits & LengthMask];
                        if ((int)entry < 0)
                        {
                            bits >>= (int)entry;
                            count -= (byte)entry;
                            *output++ = (byte)(entry >> 16);
                            continue;
                        }
                    }
                }

                if ((entry & HuffmanTable.Exceptional) != 0)
                {
                    if ((entry & HuffmanTable.Second) != 0)
                    {
                        bits >>= DeflateCode.LengthRootBits;
                        count -= DeflateCode.LengthRootBits;
                        entry = lengths[(entry >> 16) + ((uint)bits & ((1U << (int)((entry >> 8) & 31)) - 1))];
                        if ((int)entry < 0)
                        {
                            bits >>= (int)entry;
                            count -= (byte)entry;
                            *output++ = (byte)(entry >> 16);
                            continue;
                        }
                    }

                    if ((entry & HuffmanTable.Exceptional) != 0)
                    {
                        bits >>= (int)entry;
                        count -= (byte)entry;
                        end = entry;
                        break;
                    }
                }

                var length = (entry >> 16) + ((uint)(bits & ((1UL << (int)entry) - 1)) >> (int)((entry >> 8) & 31));
                bits >>= (int)entry;
                count -= (byte)entry;

                Refill(ref bits, ref count, ref next);
                entry = distances[(uint)bits & DistanceMask];
                if ((entry & HuffmanTable.Exceptional) != 0)
                {
                    if ((entry & HuffmanTable.Second) == 0)
                        throw DeflateCode.Damaged();
                    bits >>= DeflateCode.DistanceRootBits;
                    count -= DeflateCode.DistanceRootBits;
                    entry = distances[(entry >> 16) + ((uint)bits & ((1U << (int)((entry >> 8) & 31)) - 1))];
                    if ((entry & HuffmanTable.Exceptional) != 0)
                        throw DeflateCode.Damaged();
                }

                var distance = (entry >> 16) + ((uint)(bits & ((1UL << (int)entry) - 1)) >> (int)((entry >> 8) & 31));
                bits >>= (int)entry;
                count -= (byte)entry;
                if (distance > (nuint)(output - window))
                    throw DeflateCode.Damaged();

                CopyMatch(output, distance, length);
                output += length;
            }

            input.Bits = bits & ((1UL << count) - 1);
            input.BitCount = count;
            input.Next = (int)(next - buffer);
            _end = (int)(output - window);
            if (end != 0)
                EndBlock(end);
        }
    }

    /// <summary>Takes a word of input, of which whole bytes count, to 56 bits or more. What lies above the count is taken again the next time, as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Refill(ref ulong bits, ref int count, ref byte* next)
    {
        var word = Unsafe.ReadUnaligned<ulong>(next);
        if (!BitConverter.IsLittleEndian)
            word = BinaryPrimitives.ReverseEndianness(word);
        bits |= word << count;
        next += (63 - count) >> 3;
        count |= 56;
    }

    /// <summary>Copies a match, which may overlap itself; writes up to 16 bytes more than it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyMatch(byte* output, uint distance, uint length)
    {
        var source = output - distance;
        var limit = output + length;
        if (distance >= 16)
        {
            do
            {
                Vector128.Store(Vector128.Load(source), output);
                source += 16;
                output += 16;
            }
            while (output < limit);
        }
        else if (distance == 1)
        {
            var value = Vector128.Create(*source);
            do
            {
                Vector128.Store(value, output);
                output += 16;
            }
            while (output < limit);
        }
        else if (distance >= 8)
        {
            do
            {
                Unsafe.WriteUnaligned(output, Unsafe.ReadUnaligned<ulong>(source));
                source += 8;
                output += 8;
            }
            while (output < limit);
        }
        else
        {
            // Of every word the first 'distance' bytes are right, and the next word makes up for the rest.
            do
            {
                Unsafe.WriteUnaligned(output, Unsafe.ReadUnaligned<ulong>(source));
                source += distance;
                output += distance;
            }
            while (output < limit);
        }
    }
}
