using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.GoogleStorage;

namespace BotCore.Backup.Engine.Stores.Gcs;

/// <summary>What kind a failure of Google Cloud Storage is for the engine, and what to do about it.</summary>
internal static class GcsAdvice
{
    public static (FailureKind Kind, string Advice) Of(GoogleStorageException wrong, string bucket) => wrong.Error switch
    {
        GoogleStorageError.LoginFailed => (
            FailureKind.LoginFailed,
            "Check in Google Cloud's console that the account is enabled and its key was not removed, or make a new key for it; a login of gcloud is renewed with 'gcloud auth application-default login'."),
        GoogleStorageError.CredentialsMissing => (
            FailureKind.CredentialsMissing,
            "Set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account; or run 'gcloud auth application-default login' as the user that makes backups; or, on a machine in Google's cloud, give it a service account."),
        GoogleStorageError.CredentialsInvalid => (
            FailureKind.CredentialsMissing,
            "Set GOOGLE_APPLICATION_CREDENTIALS to a JSON key file that was made for a service account, readable by this user; or remove the setting and run 'gcloud auth application-default login'."),
        GoogleStorageError.ClockSkewed => (FailureKind.ClockSkewed, "Set this machine's clock right and keep it so, such as with 'timedatectl set-ntp true' or 'w32tm /resync', and run again."),
        GoogleStorageError.AccessDenied => (FailureKind.AccessDenied, $"Give the account the role Storage Object User (roles/storage.objectUser) on the bucket '{bucket}'."),
        GoogleStorageError.AccountDisabled => (FailureKind.AccessDenied, "Open Billing in Google Cloud's console and enable or settle the billing account of the bucket's project; until then Google refuses everything."),
        GoogleStorageError.Retained => (FailureKind.AccessDenied, "A retention policy or a hold of the bucket keeps the object: wait until it ends, or have its owner release it."),
        GoogleStorageError.NotFound => (FailureKind.BackupNotFound, "List what there is with Get-BotBackup."),
        GoogleStorageError.BucketNotFound => (FailureKind.BucketMissing, $"Create it, such as with 'gcloud storage buckets create gs://{bucket}', or correct GCS_BACKUP_BUCKET."),
        GoogleStorageError.PreconditionFailed => (FailureKind.AccessDenied, "Remove the object if it is not needed, or run again for a new name."),
        GoogleStorageError.ChecksumRejected => (FailureKind.ChecksumMismatch, "Run again; where it comes again, check this machine's memory and what stands between it and Google."),
        GoogleStorageError.CertificateRejected => (FailureKind.CertificateRejected, "Check GCS_ENDPOINT, this machine's clock, and that no proxy puts a certificate of its own in between."),
        GoogleStorageError.SessionGone => (FailureKind.StoreUnreachable, "Run again; nothing of the unfinished upload is kept."),
        GoogleStorageError.Busy => (FailureKind.StoreUnreachable, "Google asks to be tried later, or a quota is used up: run again later, and look at the quotas in Google Cloud's console where it stays so."),
        GoogleStorageError.Refused or GoogleStorageError.Protocol => (FailureKind.StoreUnreachable, "Check GCS_ENDPOINT and GCS_BACKUP_BUCKET; where both are right, report what the server said."),
        _ => (FailureKind.StoreUnreachable, "Check the network, a proxy (HTTPS_PROXY) and GCS_ENDPOINT, and run again."),
    };
}
