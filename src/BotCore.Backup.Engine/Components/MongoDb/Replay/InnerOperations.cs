using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>The operations inside of an <c>applyOps</c>, in their order, as bytes of the same buffer.</summary>
internal readonly ref struct InnerOperations(ReadOnlySpan<byte> command)
{
    private readonly ReadOnlySpan<byte> _command = command;

    public Enumerator GetEnumerator() => new(_command);

    public ref struct Enumerator
    {
        private BsonReader _operations;

        public Enumerator(ReadOnlySpan<byte> command)
        {
            try
            {
                if (!RawBson.TryFind(command, "applyOps"u8, out var operations) || operations.Type != BsonType.Array)
                    throw OplogEntry.Corrupt("An applyOps entry holds no operations.");
                _operations = new BsonReader(operations.AsDocument());
            }
            catch (BsonException damage)
            {
                throw OplogEntry.Corrupt("An applyOps entry cannot be read: " + damage.Message, damage);
            }
        }

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            try
            {
                if (!_operations.Read())
                    return false;
                Current = _operations.Current.AsDocument();
                return true;
            }
            catch (BsonException damage)
            {
                throw OplogEntry.Corrupt("An applyOps entry cannot be read: " + damage.Message, damage);
            }
        }
    }
}
