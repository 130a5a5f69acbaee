using Amazon.S3.Model;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Lists objects, a page at a time as they are asked for.</summary>
internal static class S3Listing
{
    /// <summary>Everything in the bucket whose key begins with <paramref name="lead"/>, in the server's order.</summary>
    public static IEnumerable<S3Object> Pages(S3Connection connection, string lead, CancellationToken token)
    {
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request { BucketName = connection.Options.Bucket, Prefix = lead, ContinuationToken = next };
            var page = connection.Call(lead, (client, waits) => client.ListObjectsV2Async(request, waits.Token), token);
            foreach (var there in page.S3Objects ?? [])
                yield return there;
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
    }

    /// <summary>The store's objects whose key begins with <paramref name="prefix"/>, in ordinal order.</summary>
    public static IEnumerable<StoredObject> Objects(S3Connection connection, string prefix, CancellationToken token) =>
        OrdinalOrder.Of(
            from there in Pages(connection, connection.Keys.Lead(prefix), token)
            let key = connection.Keys.Relative(there.Key)
            // A console makes a folder of an empty object whose name ends in a slash.
            where !key.StartsWith(S3Keys.Own, StringComparison.Ordinal) && !key.EndsWith('/')
            select new StoredObject(key, there.Size ?? 0));
}
