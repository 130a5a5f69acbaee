using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace BotCore.Backup.TestServers.GoogleStorage;

/// <summary>
/// An in-test server of the JSON API of Google Cloud Storage, version 1, written from Google's description of the API and not from its code. It is no emulator for anything but these tests: it has what a store uses and checks
/// what the service checks, and nothing of a real bucket was seen through it. With it come a token endpoint, a metadata server, and faults on order. Loopback only; thread-safe.
/// </summary>
public sealed partial class GoogleStorageServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gcs-");
    private readonly X509Certificate2? _certificate;
    private readonly Dictionary<string, SortedDictionary<string, StoredObject>> _buckets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, UploadSession> _sessions = new(StringComparer.Ordinal);
    private readonly List<StoredBlob> _blobs = [];
    private readonly List<GoogleFault> _faults = [];
    private readonly List<string> _requests = [];
    private readonly HashSet<Socket> _open = [];
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _generation = 1_700_000_000_000_000;
    private long _sent;

    /// <summary>Listens.</summary>
    /// <param name="clock">The server's clock.</param>
    /// <param name="certificate">For https.</param>
    public GoogleStorageServer(TimeProvider? clock = null, X509Certificate2? certificate = null)
    {
        (Clock, _certificate) = (clock ?? TimeProvider.System, certificate);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>The server's clock.</summary>
    public TimeProvider Clock { get; }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Its address.</summary>
    public Uri Endpoint => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}");

    /// <summary>Whether requests need a token.</summary>
    public bool RequiresLogin { get; set; } = true;

    /// <summary>Times that a fault struck.</summary>
    public int Struck { get; private set; }

    /// <summary>Bytes of downloads that were sent.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Ends when a fault stalls for the first time.</summary>
    public Task Stalled => _stalled.Task;

    /// <summary>All requests so far: method, target and status, 0 where there was no answer.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    /// <summary>Uploads that are neither complete nor cancelled.</summary>
    public int OpenUploads
    {
        get
        {
            lock (_gate)
                return _sessions.Values.Count(session => session is { Done: null, IsCancelled: false });
        }
    }

    /// <summary>Makes a bucket.</summary>
    public GoogleStorageServer AddBucket(string name)
    {
        lock (_gate)
            _buckets.Add(name, new SortedDictionary<string, StoredObject>(Utf8Order.Instance));
        return this;
    }

    /// <summary>Makes an object.</summary>
    public void AddObject(string bucket, string name, ReadOnlySpan<byte> content)
    {
        lock (_gate)
        {
            var blob = NewBlob();
            blob.Append(content);
            Put(new StoredObject(bucket, name, ++_generation, blob, Clock.GetUtcNow()) { Server = Endpoint });
        }
    }

    /// <summary>The names of all objects.</summary>
    public IReadOnlyList<string> Names(string bucket)
    {
        lock (_gate)
            return [.. _buckets[bucket].Keys];
    }

    /// <summary>The bytes of an object.</summary>
    public byte[] Content(string bucket, string name)
    {
        lock (_gate)
        {
            var blob = _buckets[bucket][name].Blob;
            var content = new byte[blob.Length];
            for (var at = 0; at < content.Length;)
                at += blob.Read(content.AsSpan(at), at);
            return content;
        }
    }

    /// <summary>What was noted beside an object.</summary>
    public IReadOnlyDictionary<string, string> Metadata(string bucket, string name)
    {
        lock (_gate)
            return _buckets[bucket][name].Metadata.ToDictionary(pair => pair.Key, pair => (string)pair.Value!, StringComparer.Ordinal);
    }

    /// <summary>Removes what may not be there.</summary>
    public void Remove(string bucket, string name)
    {
        lock (_gate)
            _buckets[bucket].Remove(name);
    }

    /// <summary>Orders a fault.</summary>
    public GoogleFault Break(GoogleFault fault)
    {
        lock (_gate)
            _faults.Add(fault);
        return fault;
    }

    /// <summary>Takes all faults back.</summary>
    public void Mend()
    {
        lock (_gate)
            _faults.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        lock (_gate)
        {
            foreach (var socket in _open)
                socket.Dispose();
            _blobs.ForEach(blob => blob.Dispose());
        }

        _folder.Delete(recursive: true);
        _stop.Dispose();
    }

    private StoredBlob NewBlob()
    {
        var blob = new StoredBlob(_folder.FullName);
        _blobs.Add(blob);
        return blob;
    }

    private void Put(StoredObject one) => _buckets[one.Bucket][one.Name] = one;

    private GoogleFault? Fault(HttpHead head)
    {
        lock (_gate)
        {
            var fault = _faults.FirstOrDefault(one => one.Strikes(head.Method, head.Target));
            if (fault is not null)
                Struck++;
            return fault;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                lock (_gate)
                    _open.Add(socket);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Given back.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using Stream network = new NetworkStream(socket);
            var stream = network;
            if (_certificate is not null)
            {
                var secure = new SslStream(network);
                await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                stream = secure;
            }

            var peer = new HttpPeer(stream);
            while (await peer.ReadHeadAsync(_stop.Token) is { } head && await ServeAsync(peer, head))
            {
                // The next one on this connection.
            }
        }
        catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // The client went away, or the server.
        }
        finally
        {
            lock (_gate)
                _open.Remove(socket);
            socket.Dispose();
        }
    }

    // Whether the connection goes on.
    private async Task<bool> ServeAsync(HttpPeer peer, HttpHead head)
    {
        var fault = Fault(head);
        var answer = fault?.Kind switch
        {
            GoogleFaultKind.Drop => null,
            GoogleFaultKind.Stall => await StallAsync(),
            GoogleFaultKind.Answer => await RefuseAsync(peer, fault),
            _ => await HandleAsync(peer, head, fault),
        };
        if (fault?.Kind == GoogleFaultKind.LoseAnswer)
            answer = null;
        lock (_gate)
            _requests.Add($"{head.Method} {head.Target} {answer?.Status ?? 0}");
        if (answer is null)
            return false;
        await peer.AnswerAsync(answer, Clock.GetUtcNow(), _stop.Token);
        return !string.Equals(head["Connection"], "close", StringComparison.OrdinalIgnoreCase);
    }

    private async Task<HttpAnswer?> StallAsync()
    {
        _stalled.TrySetResult();
        await Task.Delay(Timeout.Infinite, _stop.Token);
        return null;
    }

    private async Task<HttpAnswer?> RefuseAsync(HttpPeer peer, GoogleFault fault)
    {
        await peer.ReadBodyAsync(_stop.Token);
        var answer = Error(fault.Status, fault.Reason, fault.Message);
        return fault.RetryAfter is { } seconds ? answer.With("Retry-After", seconds.ToString(System.Globalization.CultureInfo.InvariantCulture)) : answer;
    }

    private async Task<HttpAnswer?> HandleAsync(HttpPeer peer, HttpHead head, GoogleFault? fault)
    {
        if (head.Path is "/token")
            return Login(head, await peer.ReadBodyAsync(_stop.Token));
        if (head.Path.StartsWith("/computeMetadata/", StringComparison.Ordinal))
            return MetadataServer(head);
        var path = head.Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        // Google's own client puts it before the path of uploads.
        if (path is ["resumable", .. var rest])
            path = rest;
        // The address of a session is a key of its own; a token that comes along must be good all the same.
        var isSession = head.Query("upload_id") is not null;
        if (Unauthorized(head, isSession) is { } refusal)
        {
            await peer.ReadBodyAsync(_stop.Token);
            return refusal;
        }

        return path switch
        {
            ["upload", "storage", "v1", "b", _, "o"] when isSession => await SessionAsync(peer, head, fault),
            ["upload", "storage", "v1", "b", var bucket, "o"] when head.Method is "POST" => await UploadAsync(peer, head, bucket, fault),
            ["storage", "v1", "b", var bucket, "o"] when head.Method is "GET" => List(head, bucket),
            ["storage" or "download", .., "b", var bucket, "o", var name] => Object(head, bucket, name, fault),
            ["storage", "v1", "b", var bucket] when head.Method is "GET" => Bucket(bucket),
            _ => Error(404, "notFound", "Not Found"),
        };
    }

    private static HttpAnswer Json(int status, JsonNode json) =>
        new HttpAnswer(status) { Body = System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()) }.With("Content-Type", "application/json; charset=UTF-8");

    private static HttpAnswer Error(int status, string reason, string message) => Json(status, new JsonObject
    {
        ["error"] = new JsonObject
        {
            ["code"] = status,
            ["message"] = message,
            ["errors"] = new JsonArray(new JsonObject { ["message"] = message, ["domain"] = "global", ["reason"] = reason }),
        },
    });

    private sealed class Utf8Order : IComparer<string>
    {
        public static readonly Utf8Order Instance = new();

        public int Compare(string? x, string? y) => System.Text.Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(y!));
    }
}
