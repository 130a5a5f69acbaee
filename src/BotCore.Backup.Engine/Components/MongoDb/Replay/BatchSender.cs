using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Sends batches and judges the answers. One thread each.</summary>
internal sealed class BatchSender(IReplayTarget target, MissingDocuments missing, CancellationToken token)
{
    private readonly BsonBuilder _command = new(64 * 1024);

    /// <summary>Sends a batch whole; what fails is tried alone, and then either explained or named.</summary>
    /// <param name="batch">Operations in their order.</param>
    /// <param name="checksFirst">Whether the server does not fail for an update without its document, so that it must be asked before.</param>
    /// <param name="atomic">Whether all belong to one transaction.</param>
    public void Send(ReplayBatch batch, bool checksFirst, bool atomic = false)
    {
        var skip = checksFirst ? FindMissing(batch) : null;
        for (var from = 0; from < batch.Count;)
        {
            var sent = batch.Count - from - (skip?.Count(at => at >= from) ?? 0);
            if (sent == 0)
                break;
            batch.Write(_command, from, batch.Count - from, atomic, skip);
            var reply = target.Run("admin", _command, token);
            var failed = FirstFailure(reply, sent);
            // Operations after a failed one may have been applied. Applying them again in their order ends at the same documents: the oplog is made for that.
            var upTo = failed < 0 ? batch.Count : Skipping(from, failed, skip);
            Settle(batch, from, upTo, skip);
            if (failed < 0)
                break;
            SendAlone(batch, upTo, sent == 1 ? reply : null);
            from = upTo + 1;
        }
    }

    private void SendAlone(ReplayBatch batch, int at, RawBson? known)
    {
        if (known is not { } reply)
        {
            batch.Write(_command, at, 1, atomic: false);
            reply = target.Run("admin", _command, token);
        }

        if (FirstFailure(reply, 1) < 0)
        {
            Settle(batch, at, at + 1, null);
            return;
        }

        var operation = batch[at];
        if (operation.Kind != OplogKind.Update || !batch.TryGetId(at, out var id) || Exist(Namespace(batch, at), operation.Collection.HasCollation, [id.Type], [id.Value.ToArray()]).Count > 0)
            throw Culprit(batch, at, reply);
        missing.Add(operation.Collection, id, operation.Timestamp);
    }

    private void Settle(ReplayBatch batch, int from, int to, HashSet<int>? skip)
    {
        if (missing.Count == 0 || skip is not null)
            return;
        for (var at = from; at < to; at++)
        {
            if (batch[at].Kind != OplogKind.Update && batch.TryGetId(at, out var id))
                missing.Settle(batch[at].Collection, id);
        }
    }

    // Walks the batch as the server would, knowing which documents are there at its beginning.
    private HashSet<int>? FindMissing(ReplayBatch batch)
    {
        var asked = new Dictionary<string, (bool HasCollation, List<BsonType> Types, List<byte[]> Values)>(StringComparer.Ordinal);
        for (var at = 0; at < batch.Count; at++)
        {
            if (batch[at].Kind != OplogKind.Update || !batch.TryGetId(at, out var id))
                continue;
            var ns = Namespace(batch, at);
            if (!asked.TryGetValue(ns, out var ids))
                asked.Add(ns, ids = (batch[at].Collection.HasCollation, [], []));
            ids.Types.Add(id.Type);
            ids.Values.Add(id.Value.ToArray());
        }

        var there = asked.ToDictionary(pair => pair.Key, pair => Exist(pair.Key, pair.Value.HasCollation, pair.Value.Types, pair.Value.Values), StringComparer.Ordinal);
        var skip = new HashSet<int>();
        for (var at = 0; at < batch.Count; at++)
        {
            if (!batch.TryGetId(at, out var id))
                continue;
            there.TryGetValue(Namespace(batch, at), out var documents);
            var key = DocumentId.Key(id);
            if (batch[at].Kind == OplogKind.Update)
            {
                if (documents!.Contains(key))
                    continue;
                skip.Add(at);
                missing.Add(batch[at].Collection, id, batch[at].Timestamp);
                continue;
            }

            if (batch[at].Kind == OplogKind.Insert)
                documents?.Add(key);
            else
                documents?.Remove(key);
            missing.Settle(batch[at].Collection, id);
        }

        return skip;
    }

    // Which of these documents are there. Asked with the simple collation, so that the collection's own does not take two _ids for one.
    private HashSet<UInt128> Exist(string ns, bool hasCollation, List<BsonType> types, List<byte[]> values)
    {
        var found = new HashSet<UInt128>();
        for (var from = 0; from < values.Count;)
        {
            var command = new BsonBuilder(4096);
            command.Append("find", NamespaceMap.CollectionOf(ns)).BeginDocument("filter").BeginDocument("_id").BeginArray("$in");
            var bytes = 0;
            var count = 0;
            // Ids may be long: the question and its answer must each fit into a message.
            for (; from < values.Count && count < 1000 && (count == 0 || bytes + values[from].Length < 4 * 1024 * 1024); from++, count++)
            {
                command.AppendRaw(types[from], ReplayBatch.IndexText(count), values[from]);
                bytes += values[from].Length;
            }

            command.End().End().End().BeginDocument("projection").Append("_id", 1).End().Append("batchSize", count).Append("singleBatch", true);
            if (hasCollation)
                command.BeginDocument("collation").Append("locale", "simple").End();
            var reply = target.Run(NamespaceMap.DatabaseOf(ns), command, token);
            if (!ServerReply.IsOk(reply))
                throw new BackupException(FailureKind.RestoreFailed, $"Documents of {ns} could not be looked up: {ServerReply.Reason(reply)}", "Check the rights of the restoring user: it must read what it writes.", ns);
            foreach (var document in ServerReply.FirstBatch(reply))
            {
                if (document.TryFind("_id"u8, out var id))
                    found.Add(DocumentId.Key(id));
            }
        }

        return found;
    }

    /// <summary>The first operation that the reply does not say was applied; -1 where all were.</summary>
    internal static int FirstFailure(RawBson reply, int sent)
    {
        var told = 0;
        if (reply.FindDocument("results"u8) is { } results)
        {
            var reader = results.Read();
            while (reader.Read())
            {
                if (!reader.Current.IsTruthy)
                    return Math.Min(told, sent - 1);
                told++;
            }
        }

        if (!ServerReply.IsOk(reply))
            return Math.Min(told, sent - 1);
        return told == sent ? -1 : Math.Min(told, sent - 1);
    }

    // Index in the batch of the n-th operation that was sent.
    private static int Skipping(int from, int nth, HashSet<int>? skip)
    {
        var at = from;
        while (skip?.Contains(at) == true)
            at++;
        for (; nth > 0; nth--)
        {
            at++;
            while (skip?.Contains(at) == true)
                at++;
        }

        return at;
    }

    private static string Namespace(ReplayBatch batch, int at) =>
        RawBson.TryFind(batch.Operation(at), "ns"u8, out var ns) ? Encoding.UTF8.GetString(ns.AsUtf8()) : "";

    private static BackupException Culprit(ReplayBatch batch, int at, RawBson reply)
    {
        var operation = batch[at];
        var ns = Namespace(batch, at);
        var document = batch.TryGetId(at, out var id) ? $"the document whose _id is {DocumentId.Describe(id)}" : "a document without _id";
        return new BackupException(
            FailureKind.RestoreFailed,
            $"The {operation.Kind.ToString().ToLowerInvariant()} of {operation.Timestamp} in {ns}, of {document}, was refused: {ServerReply.Reason(reply)}",
            "Restore into an empty target of the same server version or later; the target now holds everything before that time.",
            ns);
    }
}
