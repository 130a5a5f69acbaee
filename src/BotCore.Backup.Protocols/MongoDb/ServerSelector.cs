using System.Collections.Concurrent;
using System.Diagnostics;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>
/// Finds the server that fits: asks all hosts at once, goes on to those that they name, and asks again until one fits or serverSelectionTimeoutMS is over. One thread
/// a host and round; nobody logs in here. Source: github.com/mongodb/specifications, server-selection and server-discovery.
/// </summary>
internal sealed class ServerSelector(MongoConnectionString settings, MongoClientOptions options, MongoTls? tls)
{
    private const int MostHosts = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly string _appName = settings.AppName ?? options.AppName;

    /// <summary>The server; throws Unreachable, CertificateRejected, Unsupported or NoSuitableServer.</summary>
    public MongoServer Select(CancellationToken token)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var left = settings.ServerSelectionTimeout - watch.Elapsed;
            var round = new Round(this);
            if (left > TimeSpan.Zero)
            {
                using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
                limited.CancelAfter(left);
                round.Ask(limited.Token);
                token.ThrowIfCancellationRequested();
                if (round.Choose(isLast: true) is { } server)
                    return server;
            }

            left = settings.ServerSelectionTimeout - watch.Elapsed;
            if (settings.SelectOnce || round.IsHopeless || left <= Pause)
                throw round.Failure();
            token.WaitHandle.WaitOne(Pause);
            token.ThrowIfCancellationRequested();
        }
    }

    private Answer Probe(MongoHost host, CancellationToken token)
    {
        try
        {
            using var connection = MongoConnection.Open(host, settings, tls, token);
            var began = Stopwatch.GetTimestamp();
            connection.Greet(_appName, withLogin: false, token);
            return new Answer(host, connection.Server, Stopwatch.GetElapsedTime(began), null);
        }
        catch (OperationCanceledException exception)
        {
            return new Answer(host, null, default, new MongoException(MongoError.Unreachable, $"{host} did not answer in time.", exception));
        }
        catch (Exception exception)
        {
            return new Answer(host, null, default, exception as MongoException ?? new MongoException(MongoError.Protocol, $"{host} does not speak MongoDB's protocol: {exception.Message}", exception));
        }
    }

    private sealed record Answer(MongoHost Host, MongoServer? Server, TimeSpan RoundTrip, MongoException? Error);

    private sealed class Round(ServerSelector selector)
    {
        private readonly List<Answer> _answers = [];
        private readonly MongoConnectionString _settings = selector.Settings;
        private string? _setName = selector.Settings.ReplicaSet;

        /// <summary>Whether asking again would change nothing.</summary>
        public bool IsHopeless => _answers.Count > 0 && _answers.TrueForAll(answer => answer.Error?.Error is MongoError.CertificateRejected or MongoError.Unsupported);

        public void Ask(CancellationToken token)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
            var asked = new HashSet<MongoHost>();
            var results = new BlockingCollection<Answer>();
            foreach (var host in _settings.Hosts)
                Begin(host);
            var found = Stopwatch.StartNew();
            while (_answers.Count < asked.Count)
            {
                var wait = Choose(isLast: true) is null ? Timeout.InfiniteTimeSpan : Patience - found.Elapsed;
                if (wait != Timeout.InfiniteTimeSpan && wait <= TimeSpan.Zero)
                    break;
                // Every probe ends: with an answer, or when the token is cancelled.
                if (!results.TryTake(out var answer, wait))
                    break;
                if (Choose(isLast: true) is null)
                    found.Restart();
                _answers.Add(answer);
                if (answer.Server is { SetName: { } name } && !_settings.DirectConnection)
                {
                    _setName ??= name;
                    foreach (var host in string.Equals(name, _setName, StringComparison.Ordinal) ? Named(answer.Server.Hello) : [])
                        Begin(host);
                }

                if (Choose(isLast: false) is not null)
                    break;
            }

            stop.Cancel();

            void Begin(MongoHost host)
            {
                if (asked.Count >= MostHosts || !asked.Add(host))
                    return;
                var signal = stop.Token;
                new Thread(() => results.Add(selector.Probe(host, signal), CancellationToken.None)) { IsBackground = true, Name = $"MongoDB {host}" }.Start();
            }
        }

        /// <summary>The server to take; null for none. Before the last answer only one that no other could beat.</summary>
        public MongoServer? Choose(bool isLast)
        {
            var fitting = _answers.Where(answer => Fits(answer.Server)).ToList();
            if (_settings.DirectConnection || fitting.Exists(answer => answer.Server!.SetName is null))
                return isLast || _settings.Hosts.Count == 1 ? Nearest(fitting.Where(answer => IsWanted(answer.Server!))) : null;
            var primary = fitting.Find(answer => answer.Server!.IsPrimary);
            var mode = selector.Wanted;
            if (mode is ReadPreferenceMode.Primary or ReadPreferenceMode.PrimaryPreferred && primary is not null)
                return primary.Server;
            if (!isLast || mode == ReadPreferenceMode.Primary)
                return null;
            var secondaries = Tagged(fitting.Where(answer => answer.Server!.IsSecondary && IsFresh(answer.Server, fitting, primary?.Server)).ToList());
            return mode == ReadPreferenceMode.Nearest
                ? Nearest(Tagged(fitting.Where(answer => answer.Server!.IsPrimary || (answer.Server.IsSecondary && IsFresh(answer.Server, fitting, primary?.Server))).ToList()))
                : Nearest(secondaries) ?? (mode == ReadPreferenceMode.SecondaryPreferred ? primary?.Server : null);
        }

        public MongoException Failure()
        {
            var hosts = string.Join("; ", _answers.Select(Describe));
            var worst = _answers.Find(answer => answer.Error?.Error == MongoError.CertificateRejected) ?? _answers.Find(answer => answer.Error?.Error == MongoError.Unsupported);
            if (worst?.Error is { } error && _answers.TrueForAll(answer => answer.Server is null))
                return new MongoException(error.Error, _answers.Count == 1 ? error.Message : $"No server could be used: {hosts}", error);
            if (_answers.TrueForAll(answer => answer.Server is null))
                return new MongoException(MongoError.Unreachable, hosts.Length == 0 ? $"No server answered in time: {string.Join(", ", _settings.Hosts)}." : $"No server could be reached: {hosts}", _answers.Find(answer => answer.Error is not null)?.Error);
            var wanted = selector.Wanted == ReadPreferenceMode.Primary ? "a primary" : $"a server for readPreference={_settings.ReadPreference.ModeName}";
            var set = _settings.ReplicaSet is { } name ? $" of replica set '{name}'" : "";
            return new MongoException(MongoError.NoSuitableServer, $"No server answered that is {wanted}{set}: {hosts}");
        }

        private static string Describe(Answer answer) => answer.Server switch
        {
            null => answer.Error!.Message,
            { IsSharded: true } => $"{answer.Host} is a router of a sharded cluster.",
            { IsStandalone: true } => $"{answer.Host} stands alone.",
            var server => $"{answer.Host} is {(server.IsPrimary ? "the primary" : server.IsSecondary ? "a secondary" : "neither primary nor secondary")} of '{server.SetName}'.",
        };

        private static IEnumerable<MongoHost> Named(RawBson hello)
        {
            var hosts = new List<MongoHost>();
            Add(hello.FindDocument("hosts"u8));
            Add(hello.FindDocument("passives"u8));
            if (hello.FindString("primary"u8) is { } primary && MongoHost.TryParse(primary) is { } host)
                hosts.Add(host);
            return hosts;

            void Add(RawBson? array)
            {
                var reader = (array ?? RawBson.Empty).Read();
                while (reader.Read())
                {
                    if (reader.Current.Type == BsonType.String && MongoHost.TryParse(reader.Current.AsString()) is { } one)
                        hosts.Add(one);
                }
            }
        }

        private static bool HasTags(MongoServer server, IReadOnlyDictionary<string, string> tags)
        {
            var own = server.Hello.FindDocument("tags"u8) ?? RawBson.Empty;
            return tags.All(tag => string.Equals(own.FindString(System.Text.Encoding.UTF8.GetBytes(tag.Key)), tag.Value, StringComparison.Ordinal));
        }

        private bool Fits(MongoServer? server)
        {
            if (server is null || (_setName is not null && !string.Equals(server.SetName, _setName, StringComparison.Ordinal)))
                return false;
            return server.SetName is not null || server.IsSharded || _settings.Hosts.Count == 1;
        }

        /// <summary>A host that was named directly is taken as it is, unless a primary is demanded.</summary>
        private bool IsWanted(MongoServer server) => !selector.Options.RequirePrimary || server.SetName is null || server.IsPrimary;

        private List<Answer> Tagged(List<Answer> candidates)
        {
            var sets = _settings.ReadPreference.Tags;
            return sets.Count == 0
                ? candidates
                : sets.Select(tags => candidates.Where(candidate => HasTags(candidate.Server!, tags)).ToList()).FirstOrDefault(fitting => fitting.Count > 0) ?? [];
        }

        /// <summary>Staleness against the primary, else against the newest secondary, by the dates of their last writes.</summary>
        private bool IsFresh(MongoServer server, List<Answer> all, MongoServer? primary)
        {
            if (_settings.ReadPreference.MaxStaleness is not { } limit || server.LastWriteDate is not { } own)
                return true;
            var newest = primary?.LastWriteDate ?? all.Max(answer => answer.Server!.LastWriteDate) ?? own;
            return newest - own <= limit.TotalMilliseconds;
        }

        private MongoServer? Nearest(IEnumerable<Answer> candidates)
        {
            var sorted = candidates.OrderBy(candidate => candidate.RoundTrip).ToList();
            if (sorted.Count == 0)
                return null;
            // Among those about as near as the nearest, any will do: load is spread.
            var near = sorted.TakeWhile(candidate => candidate.RoundTrip - sorted[0].RoundTrip <= _settings.LocalThreshold).ToList();
            return near[System.Security.Cryptography.RandomNumberGenerator.GetInt32(near.Count)].Server;
        }
    }

    private MongoConnectionString Settings => settings;

    private MongoClientOptions Options => options;

    private ReadPreferenceMode Wanted => options.RequirePrimary ? ReadPreferenceMode.Primary : settings.ReadPreference.Mode;
}
