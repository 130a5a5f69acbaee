using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace BotCore.Backup.TestServers;

/// <summary>
/// A real container engine on a socket and below a folder of its own. Needs root, and what <see cref="Missing"/> names. Disposing removes its containers, ends it, and removes the folder. One thread.
/// </summary>
public abstract class EngineHost : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _log = new();
    private readonly HttpClient _http;
    private Process? _process;

    /// <summary>Starts nothing yet.</summary>
    protected EngineHost()
    {
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri("http://engine/v1.41/"), Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>Its folder.</summary>
    protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("eng-");

    /// <summary>Its socket.</summary>
    public string Socket => Path.Combine(Folder.FullName, "engine.sock");

    /// <summary>For DOCKER_HOST.</summary>
    public string Endpoint => "unix://" + Socket;

    /// <summary>What it has printed.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>Why engines cannot be started here; null where they can.</summary>
    public static string? Missing(params string[] tools)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return "Needs Linux and root.";
        return tools.Where(tool => NeedsToolsAttribute.Find(tool) is null).ToArray() is { Length: > 0 } missing ? $"Needs {string.Join(", ", missing)}." : null;
    }

    /// <summary>Imports an image with busybox and returns its id.</summary>
    public string ImportBusybox()
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "bin/") { Mode = (UnixFileMode)0x1ED });
            using var content = File.OpenRead(NeedsToolsAttribute.Find("busybox")!);
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0x1ED, DataStream = content });
        }

        using var body = new ByteArrayContent(tar.ToArray());
        body.Headers.ContentType = new("application/x-tar");
        Send(HttpMethod.Post, "images/create?fromSrc=-&repo=localhost/busybox", body);
        return Json("images/json").EnumerateArray().First().GetProperty("Id").GetString()!;
    }

    /// <summary>Makes a volume, and returns its Mountpoint.</summary>
    public string CreateVolume(string name, object? options = null, object? labels = null) =>
        Post("volumes/create", new { Name = name, Driver = "local", DriverOpts = options, Labels = labels }).GetProperty("Mountpoint").GetString()!;

    /// <summary>Starts a container that mounts a volume at /data, and returns its id.</summary>
    public string Start(string name, string volume, object? labels = null, bool remove = false, params string[] command)
    {
        var image = Json("images/json").EnumerateArray().First(one => one.ToString().Contains("localhost/busybox", StringComparison.Ordinal)).GetProperty("Id").GetString()!;
        var id = Post("containers/create?name=" + name, new
        {
            Image = image,
            Cmd = command.Length > 0 ? command : ["/bin/busybox", "sleep", "100000"],
            Labels = labels,
            HostConfig = new { Binds = new[] { $"{volume}:/data" }, NetworkMode = "none", AutoRemove = remove },
        }).GetProperty("Id").GetString()!;
        Send(HttpMethod.Post, $"containers/{id}/start", null);
        return id;
    }

    /// <summary>running, paused, exited ...</summary>
    public string StateOf(string id) => Json($"containers/{id}/json").GetProperty("State").GetProperty("Status").GetString()!;

    /// <summary>Ids of all containers.</summary>
    public IReadOnlyList<string> Containers => [.. Json("containers/json?all=1").EnumerateArray().Select(one => one.GetProperty("Id").GetString()!)];

    /// <summary>Asks something of it without a body.</summary>
    public void Send(string method, string path) => Send(new HttpMethod(method), path, null);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives all back.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        if (_process is { HasExited: false })
        {
            foreach (var container in Containers)
                Send(HttpMethod.Delete, $"containers/{container}?force=1", null);
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
            if (!_process.WaitForExit(StartLimit))
                _process.Kill(entireProcessTree: true);
        }

        _process?.Dispose();
        _http.Dispose();
        Unmount();
        // Not by .NET, which cannot remove names that are not UTF-8.
        using var remove = Process.Start("rm", ["-rf", "--one-file-system", Folder.FullName]);
        remove.WaitForExit();
    }

    /// <summary>Starts the engine, and waits until it answers.</summary>
    protected void Launch(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(NeedsToolsAttribute.Find(program)!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The folder tells when the socket is there.
        using var watcher = new FileSystemWatcher(Folder.FullName) { EnableRaisingEvents = true };
        watcher.Created += (_, made) =>
        {
            if (string.Equals(made.FullPath, Socket, StringComparison.Ordinal))
                answers.TrySetResult();
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Note;
        _process.ErrorDataReceived += Note;
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => answers.TrySetException(new InvalidOperationException($"{program} ended: {Log}"));
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            if (!answers.Task.Wait(StartLimit))
                throw new TimeoutException($"{program} does not listen: {Log}");
            // A socket that is bound takes connections once it listens; the engine then answers when it is ready.
            for (var again = true; again;)
            {
                try
                {
                    Send(HttpMethod.Get, "_ping", null);
                    again = false;
                }
                catch (HttpRequestException refused) when (refused.InnerException is SocketException && _process is { HasExited: false })
                {
                    Thread.Yield();
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private void Note(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
            _log.AppendLine(line.Data);
    }

    private JsonElement Json(string path) => JsonSerializer.Deserialize<JsonElement>(Send(HttpMethod.Get, path, null));

    private JsonElement Post(string path, object body)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        content.Headers.ContentType = new("application/json");
        return JsonSerializer.Deserialize<JsonElement>(Send(HttpMethod.Post, path, content));
    }

    private byte[] Send(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = _http.SendAsync(request).GetAwaiter().GetResult();
        var body = response.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        return response.IsSuccessStatusCode ? body : throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {Encoding.UTF8.GetString(body)}");
    }

    private void Unmount()
    {
        foreach (var line in File.ReadAllLines("/proc/mounts").Reverse())
        {
            if (line.Split(' ') is not [_, var place, ..] || !place.StartsWith(Folder.FullName + "/", StringComparison.Ordinal))
                continue;
            using var umount = Process.Start("umount", ["-l", place]);
            umount.WaitForExit();
        }
    }
}
