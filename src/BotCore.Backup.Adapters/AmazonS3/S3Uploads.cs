using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Objects in parts that were begun and not ended, by whom ever.</summary>
internal static class S3Uploads
{
    /// <summary>All whose key in the bucket begins with <paramref name="lead"/>.</summary>
    public static IEnumerable<Amazon.S3.Model.MultipartUpload> Below(S3Connection connection, string lead, CancellationToken token)
    {
        string? key = null, id = null;
        while (true)
        {
            var request = new ListMultipartUploadsRequest { BucketName = connection.Options.Bucket, Prefix = lead, KeyMarker = key, UploadIdMarker = id };
            var page = connection.Call(lead, (client, waits) => client.ListMultipartUploadsAsync(request, waits.Token), token);
            foreach (var upload in page.MultipartUploads ?? [])
                yield return upload;
            if (page.IsTruncated != true || page.NextKeyMarker is null)
                yield break;
            (key, id) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    /// <summary>Ends one; one that is no more is no error.</summary>
    public static void Abort(S3Connection connection, string full, string id, CancellationToken token)
    {
        var request = new AbortMultipartUploadRequest { BucketName = connection.Options.Bucket, Key = full, UploadId = id };
        try
        {
            connection.Call(full, (client, waits) => client.AbortMultipartUploadAsync(request, waits.Token), token);
        }
        catch (BackupException gone) when (S3Failures.Is(gone, "NoSuchUpload"))
        {
            // An answer that was lost.
        }
    }
}
