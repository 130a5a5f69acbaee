namespace BotCore.Backup.Engine.Compression.Native;

/// <summary>What may stand between members and behind the last one, as the format's stock tool has it.</summary>
internal enum MemberPadding
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Zeros up to the end of the stream.</summary>
    ZerosAtEnd,

    /// <summary>Zeros in fours, also between members: the stream padding of xz.</summary>
    ZerosInFours,
}

/// <summary>A library's decoder of one member at a time, in pieces. Damage throws <see cref="InvalidDataException"/>. Not thread-safe.</summary>
internal interface IMemberDecoder : IDisposable
{
    /// <summary>Begins a member.</summary>
    void Begin();

    /// <summary>
    /// Takes some of <paramref name="input"/> and fills some of <paramref name="output"/>; true where the member ended, and then no byte behind it was taken. Makes progress wherever both have
    /// bytes. An empty <paramref name="input"/> only asks for output that is held back.
    /// </summary>
    bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced);
}
