using System.Globalization;
using BotCore.Backup.Bench;
using BotCore.Backup.Engine.Outside.Adapters;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.S3;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.Protocols.Sftp;
using BotCore.Backup.TestServers;

// StoreRace MEGABYTES RUNS: one file to an S3 server and to an SFTP server and back, by our stores and by the stock programs, each a process of its own, in turns. Prints a Markdown table.
// StoreRace put|get s3|sftp FILE ...: one turn of ours.
const string Bucket = "race";
const string Key = "race.bin";

switch (args)
{
    case ["put", var kind, var file, .. var where]:
        Put(Open(kind, where), file);
        return 0;
    case ["get", var kind, var file, .. var where]:
        Get(Open(kind, where), file);
        return 0;
    case [var megabytes, var runs]:
        Race(long.Parse(megabytes, CultureInfo.InvariantCulture) << 20, int.Parse(runs, CultureInfo.InvariantCulture));
        return 0;
    default:
        await Console.Error.WriteLineAsync("StoreRace MEGABYTES RUNS");
        return 2;
}

static IStore Open(string kind, string[] where) => kind is "s3"
    ? AdapterLoader.S3().Open(new S3StoreOptions { Bucket = Bucket, Endpoint = new Uri(where[0]) })
    : new SftpStore(new SftpStoreOptions(new SftpOptions { Host = "127.0.0.1", Port = int.Parse(where[0], CultureInfo.InvariantCulture), KeyFile = where[1], Arguments = where[3..] }, where[2]));

static void Put(IStore store, string file)
{
    store.Delete(Key, CancellationToken.None);
    using var source = File.OpenRead(file);
    using var writer = store.Create(Key, CancellationToken.None);
    source.CopyTo(writer, 1 << 20);
    writer.Commit();
    (store as IDisposable)?.Dispose();
}

static void Get(IStore store, string file)
{
    using var source = store.OpenRead(Key, 0, CancellationToken.None);
    using var target = File.Create(file);
    source.CopyTo(target, 1 << 20);
    (store as IDisposable)?.Dispose();
}

static void Race(long bytes, int runs)
{
    var folder = Directory.CreateTempSubdirectory("store-race-");
    try
    {
        var file = Path.Combine(folder.FullName, "file");
        MakeFile(file, bytes);
        var back = Path.Combine(folder.FullName, "back");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"One file of {bytes >> 20} MiB that does not compress, {runs} alternating runs, each a process of its own."));
        Console.WriteLine();
        Console.WriteLine("| job | seconds min / median / max | MiB/s | peak RSS MiB | time / ours |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        RaceS3(folder.FullName, file, bytes, runs);
        RaceSftp(file, back, bytes, runs);
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

static void RaceS3(string folder, string file, long bytes, int runs)
{
    // Room for what was deleted and is not collected yet.
    using var gateway = new RadosGateway(Math.Max(8L << 30, bytes * 12));
    Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", gateway.User.AccessKey);
    Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", gateway.User.Secret);
    var settings = Path.Combine(folder, "s3cfg");
    File.WriteAllText(settings, $"[default]\nhost_base = 127.0.0.1:{gateway.Port}\nhost_bucket = 127.0.0.1:{gateway.Port}\nuse_https = False\n");
    Turn.Run("s3cmd", ["-c", settings, "mb", $"s3://{Bucket}"]);
    var ours = new Turn("S3 put: ours", Ours(["put", "s3", file, gateway.Endpoint.ToString()]), bytes);
    var theirs = new Turn("S3 put: `s3cmd put`", ["s3cmd", "-c", settings, "-q", "put", file, $"s3://{Bucket}/theirs.bin"], bytes);
    Turn.Take(runs, ours, theirs);
    Console.WriteLine(ours.Row(ours));
    Console.WriteLine(theirs.Row(ours));
}

static void RaceSftp(string file, string back, long bytes, int runs)
{
    using var server = new SshServer();
    string[] where = [server.Port.ToString(CultureInfo.InvariantCulture), server.KeyFile, Path.Combine(server.Files, "ours"), .. server.Arguments];
    string[] sftp = ["sftp", "-q", .. server.Arguments, "-i", server.KeyFile, "-P", where[0], "-b", "-", $"{SshServer.User}@127.0.0.1"];
    var theirs = Path.Combine(server.Files, "theirs.bin");
    var put = new Turn("SFTP put: ours, with fsync", Ours(["put", "sftp", file, .. where]), bytes);
    // -f: fsync, as ours does.
    var put2 = new Turn("SFTP put: `sftp`, `put -f`", sftp, bytes) { Input = $"put -f {file} {theirs}\n" };
    Turn.Take(runs, put, put2);
    Console.WriteLine(put.Row(put));
    Console.WriteLine(put2.Row(put));
    var get = new Turn("SFTP get: ours", Ours(["get", "sftp", back, .. where]), bytes);
    var get2 = new Turn("SFTP get: `sftp`", sftp, bytes) { Input = $"get {theirs} {back}\n" };
    Turn.Take(runs, get, get2);
    Console.WriteLine(get.Row(get));
    Console.WriteLine(get2.Row(get));
}

static string[] Ours(string[] arguments) => ["dotnet", Environment.GetCommandLineArgs()[0], .. arguments];

static void MakeFile(string path, long bytes)
{
    using var file = File.Create(path);
    var block = new byte[1 << 20];
    for (long done = 0; done < bytes; done += block.Length)
    {
        Random.Shared.NextBytes(block);
        file.Write(block);
    }
}
