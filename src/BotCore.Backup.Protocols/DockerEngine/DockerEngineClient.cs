using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>
/// The Docker Engine API (docs.docker.com/reference/api/engine) as far as volumes need it, of docker and of podman's service. The version is negotiated with the first call. Calls block, and none is
/// tried again. Failures are <see cref="DockerEngineException"/>. Thread-safe.
/// </summary>
public sealed class DockerEngineClient : IDisposable
{
    // Nothing here changed between these; an engine that takes none of them is a later one than this code.
    private static readonly Version Oldest = new(1, 24);
    private static readonly Version Newest = new(1, 52);

    // What an engine may take to unpack or to stop, saying nothing meanwhile.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly EngineConnection _connection;
    private readonly Lazy<EngineFacts> _facts;

    /// <summary>Does not connect yet.</summary>
    public DockerEngineClient(DockerEngineOptions options)
    {
        Options = options;
        _connection = new EngineConnection(options);
        _facts = new Lazy<EngineFacts>(Negotiate, LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>Where it is.</summary>
    public DockerEngineOptions Options { get; }

    /// <summary>What it is; asked once.</summary>
    public EngineFacts Facts => _facts.Value;

    /// <summary>All volumes.</summary>
    public IReadOnlyList<EngineVolume> Volumes(CancellationToken token) =>
        [.. Items(Get("volumes", "the volumes", token), "Volumes").Select(EngineVolume.Of)];

    /// <summary>The volume of that name; null where there is none.</summary>
    public EngineVolume? FindVolume(string name, CancellationToken token) =>
        OrNull(() => EngineVolume.Of(Get("volumes/" + Uri.EscapeDataString(name), $"volume '{name}'", token)));

    /// <summary>Makes a volume; one that is there already is given back as it is.</summary>
    public EngineVolume CreateVolume(string name, string driver, IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> options, CancellationToken token) =>
        EngineVolume.Of(_connection.SendForJson(
            HttpMethod.Post, At("volumes/create"), _ => Json(new { Name = name, Driver = driver, Labels = labels, DriverOpts = options }), $"a new volume '{name}'", token));

    /// <summary>Removes a volume. Throws Conflict where a container holds it.</summary>
    public void RemoveVolume(string name, CancellationToken token) => Do(HttpMethod.Delete, "volumes/" + Uri.EscapeDataString(name), $"the removal of volume '{name}'", token);

    /// <summary>All containers, those that do not run too.</summary>
    public IReadOnlyList<EngineContainer> Containers(CancellationToken token) => [.. Items(Get("containers/json?all=1", "the containers", token), null).Select(EngineContainer.Of)];

    /// <summary>Makes a container with one volume, which is not meant to be started.</summary>
    /// <param name="image">An image by its id.</param>
    /// <param name="volume">The volume. An engine makes one of that name where there is none.</param>
    /// <param name="path">Where it is mounted.</param>
    /// <param name="readOnly">Whether it is mounted read-only.</param>
    /// <param name="labels">Labels of the container.</param>
    /// <param name="token">Cancels.</param>
    public string CreateContainer(string image, string volume, string path, bool readOnly, IReadOnlyDictionary<string, string> labels, CancellationToken token)
    {
        var body = new
        {
            Image = image,
            Cmd = new[] { "/never-started" },
            Labels = labels,
            NetworkDisabled = true,
            HostConfig = new { Binds = new[] { $"{volume}:{path}{(readOnly ? ":ro" : "")}" }, NetworkMode = "none" },
        };
        var made = _connection.SendForJson(HttpMethod.Post, At("containers/create"), _ => Json(body), $"a container with volume '{volume}'", token).Text("Id");
        return made.Length > 0 ? made : throw new DockerEngineException(DockerEngineError.Protocol, "The engine made a container and gave no id of it.");
    }

    /// <summary>Removes a container; one that is gone is no failure.</summary>
    public void RemoveContainer(string id, CancellationToken token) =>
        OrNull(() => Done(() => Do(HttpMethod.Delete, $"containers/{Uri.EscapeDataString(id)}?force=1", "the removal of a container", token)));

    /// <summary>The images that are there.</summary>
    public IReadOnlyList<EngineImage> Images(CancellationToken token) =>
        [.. Items(Get("images/json", "the images", token), null).Select(json => new EngineImage(json.Text("Id"), json.TryGetProperty("Size", out var size) && size.TryGetInt64(out var bytes) ? bytes : 0))];

    /// <summary>Makes an image of a tar.</summary>
    public void ImportImage(string repository, byte[] tar, CancellationToken token)
    {
        using var response = _connection.Send(HttpMethod.Post, At("images/create?fromSrc=-&repo=" + Uri.EscapeDataString(repository)), _ => Tar(new ByteArrayContent(tar)), "an image made of a tar", token);
        var said = Encoding.UTF8.GetString(_connection.ReadBody(response, "an image made of a tar", token));
        // It answers 200 before it begins, and says in the body what went wrong.
        if (said.Contains("\"error\"", StringComparison.Ordinal))
            throw new DockerEngineException(DockerEngineError.Refused, $"The engine did not make an image of a tar: {said.Trim()}");
    }

    /// <summary>Reads a path of a container as a tar. It is read to its end, or disposed.</summary>
    public Stream OpenArchive(string id, string path, CancellationToken token)
    {
        var what = $"the archive of {path}";
        return new EngineStream(_connection, _connection.Send(HttpMethod.Get, At($"containers/{id}/archive?path={Uri.EscapeDataString(path)}"), null, what, token), what, token);
    }

    /// <summary>What a path of a container is.</summary>
    public EnginePathStat Stat(string id, string path, CancellationToken token)
    {
        using var response = _connection.Send(HttpMethod.Head, At($"containers/{id}/archive?path={Uri.EscapeDataString(path)}"), null, $"the facts of {path}", token);
        if (!response.Headers.TryGetValues("X-Docker-Container-Path-Stat", out var values))
            throw new DockerEngineException(DockerEngineError.Protocol, $"The engine says nothing of {path}.");
        try
        {
            var json = EngineConnection.ParseJson(Convert.FromBase64String(values.First()), "the facts of a path");
            return new EnginePathStat(json.GetProperty("mode").GetUInt32(), DateTimeOffset.Parse(json.Text("mtime"), CultureInfo.InvariantCulture));
        }
        catch (Exception wrong) when (wrong is FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new DockerEngineException(DockerEngineError.Protocol, $"What the engine says of {path} cannot be read.", wrong);
        }
    }

    /// <summary>Unpacks the tar that <paramref name="write"/> writes at a path of a container. What <paramref name="write"/> throws comes through.</summary>
    public void PutArchive(string id, string path, Action<Stream> write, CancellationToken token)
    {
        ProducedContent? produced = null;
        try
        {
            // Unpacking goes on when all was sent, and podman says nothing meanwhile.
            using var response = _connection.Send(
                HttpMethod.Put, At($"containers/{id}/archive?path={Uri.EscapeDataString(path)}"), watch => Tar(produced = new ProducedContent(write, watch)), $"unpacking at {path}", token, Patience);
        }
        catch (DockerEngineException)
        {
            produced?.Rethrow();
            throw;
        }
    }

    /// <summary>Halts all processes of a running container. Throws NotRunning where it does not run.</summary>
    public void Pause(string id, CancellationToken token) => Do(HttpMethod.Post, $"containers/{id}/pause", "a pause", token);

    /// <summary>Lets them go on.</summary>
    public void Unpause(string id, CancellationToken token) => Do(HttpMethod.Post, $"containers/{id}/unpause", "the end of a pause", token);

    /// <summary>Ends a container: asks, and kills it after the time that is its own.</summary>
    public void Stop(string id, CancellationToken token) => _connection.Send(HttpMethod.Post, At($"containers/{id}/stop"), null, "a stop", token, Patience).Dispose();

    /// <summary>Whether a container is removed when it ends.</summary>
    public bool IsRemovedWhenStopped(string id, CancellationToken token) =>
        Get($"containers/{id}/json", "a container", token) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("HostConfig", out var host)
            && host.ValueKind == JsonValueKind.Object && host.TryGetProperty("AutoRemove", out var removes) && removes.ValueKind == JsonValueKind.True;

    /// <summary>Starts a container; one that runs is let be.</summary>
    public void Start(string id, CancellationToken token) => Do(HttpMethod.Post, $"containers/{id}/start", "a start", token);

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private EngineFacts Negotiate()
    {
        var version = _connection.SendForJson(HttpMethod.Get, "version", null, "its version", CancellationToken.None);
        var isPodman = Items(version, "Components").Any(part => part.Text("Name").Contains("Podman", StringComparison.OrdinalIgnoreCase));
        if (!Version.TryParse(version.Text("ApiVersion"), out var newest))
            throw new DockerEngineException(DockerEngineError.Protocol, $"What answers at {Options.Endpoint.OriginalString} is no Docker Engine: it names no API version.");
        // Engines of before 1.25 do not say.
        var oldest = Version.TryParse(version.Text("MinAPIVersion"), out var least) ? least : Oldest;
        var spoken = newest < Newest ? newest : Newest;
        if (spoken < Oldest || spoken < oldest)
            throw new DockerEngineException(DockerEngineError.VersionUnsupported, $"The engine at {Options.Endpoint.OriginalString} speaks API {oldest} to {newest}, and this program {Oldest} to {Newest}.");
        var text = spoken.ToString(2);
        var info = _connection.SendForJson(HttpMethod.Get, $"v{text}/info", null, "what it is", CancellationToken.None);
        return new EngineFacts(info.Text("Name"), text, isPodman);
    }

    private string At(string path) => $"v{Facts.ApiVersion}/{path}";

    private JsonElement Get(string path, string what, CancellationToken token) => _connection.SendForJson(HttpMethod.Get, At(path), null, what, token);

    private void Do(HttpMethod method, string path, string what, CancellationToken token) => _connection.Send(method, At(path), null, what, token).Dispose();

    private static IEnumerable<JsonElement> Items(JsonElement json, string? property)
    {
        if (property is not null && (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(property, out json)))
            return [];
        return json.ValueKind switch
        {
            JsonValueKind.Array => json.EnumerateArray(),
            JsonValueKind.Null => [],
            _ => throw new DockerEngineException(DockerEngineError.Protocol, "The engine's answer is no list."),
        };
    }

    private static T? OrNull<T>(Func<T> ask)
        where T : class
    {
        try
        {
            return ask();
        }
        catch (DockerEngineException gone) when (gone.Error == DockerEngineError.NotFound)
        {
            return null;
        }
    }

    private static string Done(Action action)
    {
        action();
        return "";
    }

    private static ByteArrayContent Json(object body)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    // With another type the engine takes the body for a form, and unpacks nothing with 200.
    private static HttpContent Tar(HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        return content;
    }
}
