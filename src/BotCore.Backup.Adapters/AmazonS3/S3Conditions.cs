using System.Security.Cryptography;
using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>How a server takes the tag of If-Match.</summary>
internal enum ConditionForm
{
    /// <summary>Nobody looked.</summary>
    Unknown = 0,

    /// <summary>It takes no conditions, or does not heed them.</summary>
    None,

    /// <summary>In quotes, as HTTP has it.</summary>
    Quoted,

    /// <summary>Without quotes, as Ceph has it.</summary>
    Bare,
}

/// <summary>
/// What a server makes of conditions on what is put. It is asked once, with an object of our own: a server that does not heed them would answer as one that does, and let two runs hold one lease. Thread-safe.
/// </summary>
internal sealed class S3Conditions(S3Connection connection)
{
    private readonly Lock _gate = new();
    private ConditionForm _form;
    private bool _unknownToServer;

    /// <summary>Does what gives an object its key under the condition that there is none, and without it where the server has no such thing.</summary>
    public T OnCommit<T>(Func<bool, T> commit)
    {
        if (Volatile.Read(ref _unknownToServer))
            return commit(false);
        try
        {
            return commit(true);
        }
        catch (BackupException unknown) when (unknown.Failure.Kind == FailureKind.ServerUnsupported)
        {
            Volatile.Write(ref _unknownToServer, value: true);
            return commit(false);
        }
    }

    /// <summary>What the server was seen to heed.</summary>
    public ConditionForm Form(CancellationToken token)
    {
        lock (_gate)
        {
            if (_form == ConditionForm.Unknown)
                _form = Ask(token);
            return _form;
        }
    }

    public static string Tag(string tag, ConditionForm form) => form == ConditionForm.Quoted ? $"\"{tag}\"" : tag;

    /// <summary>Puts a small object, under conditions or none. The answer, or null where they did not hold.</summary>
    public PutObjectResponse? Put(string key, byte[] content, string? ifMatch, bool ifNone, CancellationToken token)
    {
#pragma warning disable CA5351 // S3's own digest of transport.
        var digest = Convert.ToBase64String(MD5.HashData(content));
#pragma warning restore CA5351
        try
        {
            return connection.Call(key, (client, waits) => client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = connection.Options.Bucket,
                Key = connection.Keys.Full(key),
                InputStream = new MemoryStream(content),
                MD5Digest = digest,
                UseChunkEncoding = false,
                DisablePayloadSigning = connection.IsSecure,
                IfMatch = ifMatch,
                IfNoneMatch = ifNone ? "*" : null,
            }, waits.Token), token);
        }
        catch (BackupException failed) when (S3Failures.IsPrecondition(failed) || (ifMatch is not null && failed.Failure.Kind == FailureKind.BackupNotFound))
        {
            return null;
        }
    }

    // What went wrong before this is what must be told.
    private void Remove(string key, List<string?> versions)
    {
        try
        {
            foreach (var version in versions.Distinct(StringComparer.Ordinal))
                S3Store.Remove(connection, key, CancellationToken.None, version);
        }
        catch (BackupException)
        {
            // It is never listed, and harms nobody.
        }
    }

    private ConditionForm Ask(CancellationToken token)
    {
        var key = $"{S3Keys.Own}conditions-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        // The same each time, so that its tag stays and a request whose answer was lost can be made again.
        var content = "What the server makes of conditions.\n"u8.ToArray();
        var versions = new List<string?>();
        PutObjectResponse? Try(string? ifMatch)
        {
            var answer = Put(key, content, ifMatch, ifNone: ifMatch is null, token);
            if (answer is not null)
                versions.Add(answer.VersionId);
            return answer;
        }

        try
        {
            Try(null);
            if (Try(null) is not null || connection.Head(key, token) is not { } there)
                return ConditionForm.None;
            foreach (var form in new[] { ConditionForm.Quoted, ConditionForm.Bare })
            {
                if (Try(Tag(there.ETag.Trim('"'), form)) is not null)
                    return Try(Tag(new string('0', 32), form)) is null ? form : ConditionForm.None;
            }

            return ConditionForm.None;
        }
        catch (BackupException unknown) when (unknown.Failure.Kind == FailureKind.ServerUnsupported)
        {
            return ConditionForm.None;
        }
        finally
        {
            Remove(key, versions);
        }
    }
}
