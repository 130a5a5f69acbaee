using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.GoogleStorage;

namespace BotCore.Backup.Engine.Stores.Gcs;

/// <summary>A bucket as the parts of a <see cref="GcsStore"/> use it: names of objects for keys, requests that are tried again, failures with their kind and advice. Thread-safe.</summary>
internal sealed class GcsBucket : IDisposable
{
    private readonly string _prefix;
    private readonly StoreRetry _retry;
    private volatile bool _wasSeen;

    public GcsBucket(GcsOptions options)
    {
        (Name, _prefix) = options.Split();
        _retry = options.Retry;
        Client = new GoogleStorageClient(options.ToClient());
        Location = _prefix.Length == 0 ? $"gs://{Name}" : $"gs://{Name}/{_prefix}";
    }

    public string Name { get; }

    /// <summary>For people.</summary>
    public string Location { get; }

    public GoogleStorageClient Client { get; }

    /// <summary>The name of the object that <paramref name="key"/> is. Throws AccessDenied for a key that leads out, or that no object can have.</summary>
    public string ObjectOf(string key)
    {
        var name = _prefix.Length == 0 ? key : $"{_prefix}/{key}";
        if (key.StartsWith('/') || key.Split('/').Contains("..", StringComparer.Ordinal) || name is "." || key.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new BackupException(FailureKind.AccessDenied, $"'{key}' is not inside the store {Location}.", "Use a key without '..', without a leading slash and without line breaks.", key);
        return name;
    }

    /// <summary>The prefix of the objects whose keys begin with <paramref name="keys"/>.</summary>
    public string PrefixOf(string keys) => _prefix.Length == 0 ? keys : $"{_prefix}/{keys}";

    /// <summary>The key that an object of the store has.</summary>
    public string KeyOf(string name) => _prefix.Length == 0 ? name : name[(_prefix.Length + 1)..];

    /// <summary>Does what may be done twice, until it comes through or fails for good. An object that is not there is null.</summary>
    public T? Run<T>(string key, Func<T> action, CancellationToken token, int attempts = int.MaxValue)
        where T : class
    {
        for (var attempt = 1; ; attempt++)
        {
            token.ThrowIfCancellationRequested();
            try
            {
                var result = action();
                _wasSeen = true;
                return result;
            }
            catch (GoogleStorageException passing) when (passing.IsPassing && attempt < Math.Min(attempts, _retry.Attempts))
            {
                _retry.Pause(attempt, token, passing.RetryAfter);
            }
            catch (GoogleStorageException gone) when (gone.Error == GoogleStorageError.NotFound)
            {
                DemandBucket(token);
                return null;
            }
            catch (GoogleStorageException wrong)
            {
                throw ToFailure(key, wrong);
            }
        }
    }

    /// <summary>The same, of what is no object of its own: where that is not there, the bucket is not.</summary>
    public T Demand<T>(string key, Func<T> action, CancellationToken token)
        where T : class => Run(key, action, token) ?? throw Missing(null);

    /// <summary>Does something once and gives what goes wrong its kind.</summary>
    public T Once<T>(string key, Func<T> action, CancellationToken token)
    {
        try
        {
            return action();
        }
        catch (GoogleStorageException gone) when (gone.Error == GoogleStorageError.NotFound)
        {
            DemandBucket(token);
            throw ToFailure(key, gone);
        }
        catch (GoogleStorageException wrong)
        {
            throw ToFailure(key, wrong);
        }
    }

    /// <summary>What the engine says to a failure of the client.</summary>
    public BackupException ToFailure(string key, GoogleStorageException wrong)
    {
        var (kind, advice) = GcsAdvice.Of(wrong, Name);
        var what = wrong.Error switch
        {
            GoogleStorageError.NotFound => $"There is no '{key}' in {Location}.",
            GoogleStorageError.PreconditionFailed => $"There is a '{key}' in {Location} already, and nothing is ever overwritten.",
            GoogleStorageError.BucketNotFound => $"There is no bucket '{Name}', or this account may not know of it.",
            _ => $"The store {Location} failed at '{key}': {wrong.Message}",
        };
        return new BackupException(kind, what, advice, kind is FailureKind.BackupNotFound ? key : Location, wrong) { RetryAfter = wrong.RetryAfter };
    }

    public void Dispose() => Client.Dispose();

    // Google says in words which of the two is not there; others that speak the API do not always.
    private void DemandBucket(CancellationToken token)
    {
        if (_wasSeen)
            return;
        try
        {
            Client.List(Name, _prefix, null, 1, token);
            _wasSeen = true;
        }
        catch (GoogleStorageException gone) when (gone.Error is GoogleStorageError.NotFound or GoogleStorageError.BucketNotFound)
        {
            throw Missing(gone);
        }
        catch (GoogleStorageException wrong)
        {
            throw ToFailure("", wrong);
        }
    }

    private BackupException Missing(GoogleStorageException? cause) => ToFailure("", new GoogleStorageException(GoogleStorageError.BucketNotFound, $"There is no bucket '{Name}'.", cause));
}
