using System.Diagnostics;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

/// <summary>Google's own client against the same server: it reads what the store wrote and the store reads what it wrote, so the server is not only of one mind with this project's client.</summary>
public sealed class GcloudTests : IDisposable
{
    private readonly GcsPlace _place = new();

    [ToolFact("gcloud")]
    public void The_store_and_gcloud_read_what_the_other_wrote()
    {
        var content = GcsPlace.Noise(3_000_001);
        var store = _place.NewStore();
        GcsPlace.Put(store, "config/ours", content);
        var file = Path.Combine(_place.Folder, "theirs");
        File.WriteAllBytes(file, content);

        Assert.Contains("gs://backups/config/ours", Run("storage", "ls", "gs://backups/config/"), StringComparison.Ordinal);
        Run("storage", "cp", "gs://backups/config/ours", Path.Combine(_place.Folder, "ours"));
        Assert.Equal(content, File.ReadAllBytes(Path.Combine(_place.Folder, "ours")));
        Run("storage", "cp", file, "gs://backups/config/theirs");
        Assert.Equal(content, GcsPlace.Get(store, "config/theirs"));
        Assert.Equal(["config/ours", "config/theirs"], store.List("config/", default).Select(one => one.Key), StringComparer.Ordinal);
    }

    public void Dispose() => _place.Dispose();

    private string Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("gcloud", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["CLOUDSDK_CONFIG"] = Path.Combine(_place.Folder, "gcloud");
        start.Environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] = _place.Server.Endpoint.AbsoluteUri + "storage/v1/";
        start.Environment["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"] = _place.Write("token", _place.Server.NewToken());
        start.Environment["CLOUDSDK_CORE_PROJECT"] = "project";
        start.Environment["CLOUDSDK_CORE_DISABLE_PROMPTS"] = "1";
        start.Environment["CLOUDSDK_CORE_DISABLE_USAGE_REPORTING"] = "1";
        start.Environment["CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK"] = "1";
        // One process and small parts, so that its upload is a resumable one too.
        start.Environment["CLOUDSDK_STORAGE_PROCESS_COUNT"] = "1";
        start.Environment["CLOUDSDK_STORAGE_RESUMABLE_THRESHOLD"] = "1Mi";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"gcloud {string.Join(' ', arguments)}: {errors.Result}\n{string.Join('\n', _place.Server.Requests)}");
        return output;
    }
}
