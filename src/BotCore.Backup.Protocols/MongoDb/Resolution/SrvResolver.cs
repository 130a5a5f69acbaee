using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.MongoDb.Resolution;

/// <summary>Turns <c>mongodb+srv</c> into hosts and options. Source: github.com/mongodb/specifications, initial-dns-seedlist-discovery and polling-srv-records.</summary>
internal sealed class SrvResolver(DnsClient dns)
{
    /// <summary>The settings with the hosts of the SRV records and the options of the TXT record, where the string does not say otherwise.</summary>
    public MongoConnectionString Resolve(MongoConnectionString settings, CancellationToken token)
    {
        var name = settings.Hosts[0].Name.TrimEnd('.');
        var question = $"_{settings.SrvServiceName}._tcp.{name}";
        var records = dns.Ask(question, DnsType.Srv, token);
        if (records.Count == 0)
            throw new MongoException(MongoError.Unreachable, $"DNS has no SRV records of {question}.");
        var hosts = new List<MongoHost>();
        foreach (var record in records)
        {
            CheckParent(name, record.Target);
            var host = MongoHost.TryParse(record.Target) is { } parsed && record.Port > 0
                ? parsed with { Port = record.Port }
                : throw new MongoException(MongoError.Unreachable, $"An SRV record of {question} names no usable host.");
            if (!hosts.Contains(host))
                hosts.Add(host);
        }

        if (settings.SrvMaxHosts > 0 && settings.SrvMaxHosts < hosts.Count)
            hosts = [.. Shuffled(hosts).Take(settings.SrvMaxHosts)];
        return ApplyText(settings, dns.Ask(name, DnsType.Txt, token)) with { Hosts = hosts };
    }

    private static MongoHost[] Shuffled(List<MongoHost> hosts)
    {
        MongoHost[] shuffled = [.. hosts];
        RandomNumberGenerator.Shuffle<MongoHost>(shuffled);
        return shuffled;
    }

    /// <summary>Hosts must be of the domain that was asked, so that no record sends the password elsewhere. A name of fewer than three parts is itself the domain.</summary>
    private static void CheckParent(string name, string target)
    {
        var labels = name.Split('.');
        var parent = labels.Length < 3 ? name : string.Join('.', labels[1..]);
        var host = target.TrimEnd('.');
        if (!host.EndsWith("." + parent, StringComparison.OrdinalIgnoreCase))
            throw new MongoException(MongoError.Unreachable, $"An SRV record of {name} names the host {host}, which is not of the domain {parent}.");
    }

    private static MongoConnectionString ApplyText(MongoConnectionString settings, IReadOnlyList<DnsRecord> records)
    {
        if (records.Count == 0)
            return settings;
        if (records.Count > 1)
            throw ConnectionStringParser.Invalid("its name has more than one TXT record");
        foreach (var (name, value) in ConnectionStringParser.SplitOptions(records[0].Text))
        {
            if (name.ToUpperInvariant() is not ("AUTHSOURCE" or "REPLICASET" or "LOADBALANCED"))
                throw ConnectionStringParser.Invalid("its TXT record holds an option other than authSource, replicaSet and loadBalanced");
            if (!settings.Given.Contains(name))
                settings = ConnectionStringOptions.Apply(settings, name, value);
        }

        return ConnectionStringOptions.Check(settings);
    }
}
