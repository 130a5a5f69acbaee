namespace BotCore.Backup.Engine.Stores.S3;

/// <summary>Opens stores in Amazon S3 and in servers that speak its protocol. Stands in the adapters: get one from <see cref="Outside.Adapters.AdapterLoader.S3"/>. Thread-safe.</summary>
public interface IS3StoreFactory
{
    /// <summary>
    /// A store as <paramref name="options"/> say; dispose it (<see cref="IDisposable"/>) to close its connections. Nothing is asked of the server yet. Throws ConfigurationInvalid for options that cannot be.
    /// It is an <see cref="IObjectLock"/> too.
    /// </summary>
    /// <param name="options">Where, and how.</param>
    /// <param name="retry">How often what passes by itself is tried again; null for the usual.</param>
    IStore Open(S3StoreOptions options, StoreRetry? retry = null);
}
