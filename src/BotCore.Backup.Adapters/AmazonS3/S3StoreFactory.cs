using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Opens stores by way of Amazon's SDK. Made by the Engine's loader, by name.</summary>
public sealed class S3StoreFactory : IS3StoreFactory
{
    /// <inheritdoc/>
    public IStore Open(S3StoreOptions options, StoreRetry? retry = null)
    {
        options.Check();
        return new S3Store(options, retry ?? new StoreRetry());
    }
}
