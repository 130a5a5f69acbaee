using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Exports;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Exports;

public sealed class ExportTests
{
    [Theory]
    [InlineData(ExportForm.MongodumpArchive, false)]
    [InlineData(ExportForm.MongodumpArchive, true)]
    [InlineData(ExportForm.Folder, false)]
    public void An_export_holds_what_the_backup_holds(ExportForm form, bool gzip)
    {
        using var mongo = new MongoPlatform();
        Fill(mongo);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var target = Path.Combine(mongo.Folder, "export");

        var made = Assert.IsType<FileSystemInfo>(Run(session, backup, new ExportRequest { Form = form, Destination = target, Gzip = gzip }).OfType<Made>().Single().Item, exactMatch: false);

        Assert.Equal(target, made.FullName);
        IDumpSource source = form == ExportForm.Folder ? new FolderDump(target) : new StreamDump(target);
        var (was, has) = (Survey(DatabaseRestore.SourceOf(session, backup)), Survey(source));
        Assert.Equal(Sets(was), Sets(has));
        Assert.Equal(Metadata(was), Metadata(has));
        Assert.Equal((was.Scan?.Entries, was.Scan?.First, was.Scan?.Last), (has.Scan?.Entries, has.Scan?.First, has.Scan?.Last));
        Assert.NotNull(has.Scan);
        Assert.Equal(was.From, has.From);
        Assert.Contains(was.Collections.Keys, name => name.Collection is "ticks" && was.Sets.ContainsKey(name with { Collection = "system.buckets.ticks" }));
    }

    // The head lists the collection, and its documents run under its buckets' name, as mongodump has it.
    [Fact]
    public void A_time_series_collection_runs_under_the_name_of_its_buckets()
    {
        using var stream = new MemoryStream();
        var name = new DumpNamespace("db", "ticks");
        var buckets = new DumpNamespace("db", "system.buckets.ticks");
        var metadata = """{"options":{"timeseries":{"timeField":"t"}},"indexes":[],"collectionName":"ticks","type":"timeseries"}""";
        var writer = new ArchiveStreamWriter(stream, new DumpVersions("8.0", "1.0"), [new(name, metadata, 0, "timeseries")]);
        Assert.Throws<InvalidOperationException>(() => writer.End(name));
        writer.Document(buckets, new BsonBuilder().Append("_id", 1).ToBson().Span);
        var cut = stream.ToArray();
        writer.End(buckets);
        writer.Complete();

        stream.Position = 0;
        var survey = new DumpSurvey(NamespaceFilter.Everything);
        ArchiveStreamReader.Read(stream, "an.archive", survey, CancellationToken.None);
        Assert.Equal(1, survey.Sets[buckets].Count);
        Assert.False(survey.Sets.ContainsKey(name));
        Assert.True(survey.Collections.ContainsKey(name));

        using var shortened = new MemoryStream([.. cut, 255, 255, 255, 255]);
        Assert.Contains("db.system.buckets.ticks has no end", Assert.Throws<BackupException>(() => ArchiveStreamReader.Read(shortened, "an.archive", survey, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_export_leaves_nothing()
    {
        using var mongo = new MongoPlatform();
        Fill(mongo);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var folder = Directory.CreateDirectory(Path.Combine(mongo.Folder, "out")).FullName;
        var steps = new[] { ExportForm.Folder, ExportForm.MongodumpArchive }.Select(form => ExportPlanner.Plan(backup, new ExportRequest { Form = form, Destination = Path.Combine(folder, form.ToString()) })).ToList();
        // What comes between the plan and the end is never replaced.
        File.WriteAllText(Path.Combine(folder, "MongodumpArchive"), "precious");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "Folder")).FullName, "precious"), "");

        var events = ExportRunner.Run(session, steps, default).ToBlockingEnumerable().ToList();

        Assert.Equal(2, events.OfType<Failed>().Count());
        Assert.DoesNotContain(events, happened => happened is Made);
        Assert.Equal("Folder MongodumpArchive", string.Join(' ', Directory.GetFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)));
        Assert.Equal("precious", File.ReadAllText(Path.Combine(folder, "MongodumpArchive")));
    }

    [Fact]
    public void A_database_whose_name_leads_out_is_refused()
    {
        using var mongo = new MongoPlatform();
        var survey = new DumpSurvey(NamespaceFilter.Everything);
        survey.Metadata(new DumpNamespace("..", "escape"), new CollectionMetadata());
        using var writer = new DumpFolderWriter(Path.Combine(mongo.Folder, "dump"));
        Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => writer.Begin(survey)).Failure.Kind);
        Assert.Empty(Directory.GetFiles(mongo.Folder, "escape*"));
    }

    private static List<BackupEvent> Run(BackupSession session, BotBackup backup, ExportRequest request) =>
        [.. ExportRunner.Run(session, [ExportPlanner.Plan(backup, request)], default).ToBlockingEnumerable()];

    private static DumpSurvey Survey(IDumpSource source)
    {
        var survey = new DumpSurvey(NamespaceFilter.Everything);
        source.Prove(survey, NamespaceFilter.Everything, _ => { }, default);
        return survey;
    }

    private static string Sets(DumpSurvey survey) =>
        string.Join('\n', survey.Sets.Where(one => one.Value.Count > 0).Select(one => $"{one.Key} {one.Value.Count} {one.Value}").Order(StringComparer.Ordinal));

    private static string Metadata(DumpSurvey survey) =>
        string.Join('\n', survey.Collections.Select(one => $"{one.Key} {ExtendedJson.ToText(one.Value.ToBson())}").Order(StringComparer.Ordinal));

    private static void Fill(MongoPlatform mongo)
    {
        mongo.Insert("trades", Enumerable.Range(0, 5_000).Select(n => new BsonBuilder().Append("_id", n).Append("symbol", "BTC" + n).ToBson()));
        mongo.Insert("odd name/%ü", [new BsonBuilder().Append("_id", "a").ToBson()]);
        mongo.Insert(new string('x', 200) + new string('ü', 10), [new BsonBuilder().Append("_id", "long").ToBson()]);
        mongo.Run(new BsonBuilder().Append("create", "empty"));
        mongo.Run(new BsonBuilder().Append("create", "ticks").BeginDocument("timeseries").Append("timeField", "t").End());
        mongo.Run(new BsonBuilder().Append("create", "rich").Append("viewOn", "trades").BeginArray("pipeline").BeginDocument("0").BeginDocument("$match").Append("rich", value: true).End().End().End());
        mongo.Run(new BsonBuilder().Append("createIndexes", "trades").BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append("symbol", 1).End().Append("name", "by_symbol").End().End());
    }
}
