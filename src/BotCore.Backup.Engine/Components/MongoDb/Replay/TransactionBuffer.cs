using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Spill;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>A transaction that did not end within the slice. It was not applied: on the source, too, it was not visible at that time.</summary>
/// <param name="First">Time of its first entry.</param>
/// <param name="Last">Time of the last entry seen.</param>
/// <param name="IsPrepared">Whether only the commit was missing.</param>
public sealed record UnfinishedTransaction(BsonTimestamp First, BsonTimestamp Last, bool IsPrepared);

/// <summary>
/// Holds the entries of transactions until they commit, one chain per session and number along <c>prevOpTime</c>. Beyond the budget entries go to a spill file. One thread.
/// </summary>
/// <param name="budget">Bytes held in memory.</param>
/// <param name="spillFolder">Where the spill file is made, at its first need.</param>
internal sealed class TransactionBuffer(long budget, string spillFolder) : IDisposable
{
    private readonly Dictionary<(UInt128 Session, long Number), Chain> _open = [];
    private SpillFile? _spill;
    private long _held;

    /// <summary>Transactions that were aborted.</summary>
    public long Aborted { get; private set; }

    /// <summary>Bytes that went to the spill file.</summary>
    public long Spilled => _spill?.Length ?? 0;

    /// <summary>Time of the oldest entry held: a replay that is resumed must begin there at the latest.</summary>
    public BsonTimestamp? Oldest => _open.Count == 0 ? null : _open.Values.Min(chain => chain.First);

    /// <summary>Those that did not end.</summary>
    public IReadOnlyList<UnfinishedTransaction> Unfinished =>
        [.. _open.Values.Select(chain => new UnfinishedTransaction(chain.First, chain.Last, chain.IsPrepared)).OrderBy(transaction => transaction.First)];

    /// <summary>Takes an entry of a transaction. Where that commits it, <paramref name="apply"/> is called for each of its entries, in order, with bytes valid during the call; true then.</summary>
    /// <exception cref="BackupException">ChainBroken: it committed, but its beginning is not in the slice.</exception>
    public bool Take(in OplogEntry entry, Action<ReadOnlySpan<byte>> apply)
    {
        var key = KeyOf(entry);
        switch (entry.Kind)
        {
            case OplogKind.AbortTransaction:
                if (_open.Remove(key, out var aborted))
                    Release(aborted);
                Aborted++;
                return false;
            case OplogKind.CommitTransaction:
                if (!_open.Remove(key, out var prepared))
                    throw Headless(entry);
                Apply(prepared, entry, apply);
                return true;
            default:
                return TakePart(entry, key, apply);
        }
    }

    public void Dispose() => _spill?.Dispose();

    private bool TakePart(in OplogEntry entry, (UInt128 Session, long Number) key, Action<ReadOnlySpan<byte>> apply)
    {
        var isFirst = entry.Previous is null || entry.Previous.Value.Value == 0;
        var isPrepared = IsTrue(entry.Object, "prepare"u8);
        var ends = !isPrepared && !IsTrue(entry.Object, "partialTxn"u8);
        // What a session began again under the same number replaces what it never finished.
        if (isFirst && _open.Remove(key, out var old))
            Release(old);
        if (isFirst && ends)
        {
            apply(entry.Raw);
            return true;
        }

        ref var chain = ref CollectionsMarshal.GetValueRefOrAddDefault(_open, key, out var exists);
        chain ??= new Chain(entry.Timestamp, hasHead: isFirst);
        if (exists && chain.Last != entry.Previous)
            chain.HasHead = false;
        chain.Last = entry.Timestamp;
        chain.IsPrepared = isPrepared;
        chain.Parts.Add(Keep(entry.Raw));
        if (!ends)
            return false;
        _open.Remove(key, out var whole);
        Apply(whole!, entry, apply);
        return true;
    }

    private void Apply(Chain chain, in OplogEntry entry, Action<ReadOnlySpan<byte>> apply)
    {
        if (!chain.HasHead)
            throw Headless(entry);
        foreach (var part in chain.Parts)
        {
            var bytes = part.Bytes;
            if (bytes is null)
            {
                bytes = new byte[part.Length];
                _spill!.Read(part.Offset, bytes);
            }

            apply(bytes);
        }

        Release(chain);
    }

    private Part Keep(ReadOnlySpan<byte> raw)
    {
        if (_held + raw.Length <= budget)
        {
            _held += raw.Length;
            return new Part(raw.ToArray(), 0, raw.Length);
        }

        _spill ??= new SpillFile(spillFolder);
        return new Part(null, _spill.Append(raw), raw.Length);
    }

    private void Release(Chain chain)
    {
        foreach (var part in chain.Parts)
        {
            if (part.Bytes is not null)
                _held -= part.Length;
        }
    }

    private static BackupException Headless(in OplogEntry entry) => new(
        FailureKind.ChainBroken,
        $"The transaction that committed at {entry.Timestamp} began before the first entry of the oplog that was given, or an entry in its middle is missing.",
        "Restore from the full backup before this one, whose oplog holds its beginning, or to a time before that commit.");

    private static (UInt128 Session, long Number) KeyOf(in OplogEntry entry)
    {
        if (entry.Session.IsEmpty || entry.TransactionNumber is not { } number)
            throw OplogEntry.Corrupt($"The entry of {entry.Timestamp} ends a transaction without saying which.");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(entry.Session, hash);
        return (BinaryPrimitives.ReadUInt128LittleEndian(hash), number);
    }

    private static bool IsTrue(ReadOnlySpan<byte> document, ReadOnlySpan<byte> name) => RawBson.TryFind(document, name, out var value) && value.IsTruthy;

    private sealed record Part(byte[]? Bytes, long Offset, int Length);

    private sealed class Chain(BsonTimestamp first, bool hasHead)
    {
        public BsonTimestamp First { get; } = first;

        public BsonTimestamp Last { get; set; } = first;

        public bool HasHead { get; set; } = hasHead;

        public bool IsPrepared { get; set; }

        public List<Part> Parts { get; } = [];
    }
}
