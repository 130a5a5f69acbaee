using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Measurements;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Compression;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Measurements;

public sealed class MeasureRunnerTests
{
    [CodecFact]
    public void Every_codec_is_measured_on_the_data_and_one_chosen()
    {
        using var place = Filled("auto");
        var before = Workplace.Describe(place.Root);
        var measured = Measured(MeasureRunner.Run(place.Session, new BackupRequest { Components = [Component.Config] }, Workplace.None));

        Assert.Equal(Codecs.Names.Order(StringComparer.Ordinal), measured.Select(one => one.Codec).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.All(measured, one =>
        {
            Assert.Equal((Component.Config, "config"), (one.Component, one.Name));
            Assert.InRange(one.MegabytesPerSecond, double.Epsilon, double.MaxValue);
            Assert.InRange(one.Ratio, 1.01, 100);
            Assert.InRange(one.PredictedDuration, TimeSpan.FromTicks(1), TimeSpan.FromHours(1));
            Assert.InRange(one.PredictedSize.Bytes, 1, one.PlainSize.Bytes);
            Assert.Equal(1_020_000, one.PlainSize.Bytes);
            Assert.Equal(one.Chosen, one.Reason.Length > 0);
        });
        Assert.Single(measured, one => one.Chosen);
        Assert.Equal(before, Workplace.Describe(place.Root));
    }

    [CodecFact]
    public void The_ratio_that_is_predicted_is_that_of_the_archive()
    {
        using var place = Filled("gzip");
        var gzip = Measured(MeasureRunner.Run(place.Session, [place.Project], Workplace.None)).First(one => one is { Codec: "gzip", Level: 6 });
        var backup = place.BackUp();

        Assert.InRange(gzip.PredictedSize.Bytes, backup.Size.Bytes * 0.9, backup.Size.Bytes * 1.1);
    }

    [Fact]
    public void A_single_file_is_measured_and_what_is_not_there_is_said()
    {
        using var place = Filled("gzip");
        var file = place.Write("one", Samples.Text(300_000));
        Assert.All(Measured(MeasureRunner.Run(place.Session, [file], Workplace.None)), one => Assert.Equal((file, 300_000), (one.Name, one.PlainSize.Bytes)));

        var missing = MeasureRunner.Run(place.Session, [Path.Combine(place.Root, "nowhere")], Workplace.None).ToBlockingEnumerable().ToList();
        Assert.Equal(FailureKind.BackupNotFound, Workplace.Failure(missing).Kind);
    }

    [CodecFact]
    public void Auto_says_what_it_takes_and_why_and_the_archive_is_in_it()
    {
        using var place = Filled("auto");
        var step = Assert.Single(BackupPlanner.Plan(place.Session, new BackupRequest { Components = [Component.Config] }, failure => Assert.Fail(failure.Message), Workplace.None));
        Assert.Contains("the fastest that makes it no larger than gzip", step.Action, StringComparison.Ordinal);
        Assert.Contains("MB/s and a ratio of", step.Action, StringComparison.Ordinal);

        var backup = place.BackUp();
        Assert.Contains(backup.Manifest!.Codec + " at level ", step.Action, StringComparison.Ordinal);
        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        place.Restore(backup);
        Assert.Equal(Workplace.Describe(place.Project), Workplace.Describe(place.Destination));
    }

    [CodecFact]
    public void A_ratio_that_only_a_slow_codec_reaches_is_reached()
    {
        using var place = Filled("auto", "100x");
        var step = Assert.Single(BackupPlanner.Plan(place.Session, new BackupRequest { Components = [Component.Config] }, failure => Assert.Fail(failure.Message), Workplace.None));
        Assert.Contains("since nothing reaches 100x, the smallest", step.Action, StringComparison.Ordinal);
    }

    [CodecFact]
    public void A_database_is_measured_by_its_documents()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("trades", Enumerable.Range(0, 2000).Select(number => new BsonBuilder().Append("_id", number).Append("symbol", "BTCUSDT").Append("price", number * 1.25).ToBson()));
        var measured = Measured(MeasureRunner.Run(mongo.Session(), new BackupRequest { Components = [Component.MongoDb] }, MongoPlatform.None));

        Assert.All(measured, one => Assert.Equal(Component.MongoDb, one.Component));
        Assert.Single(measured, one => one.Chosen);
    }

    private static List<BotCodecMeasurement> Measured(IAsyncEnumerable<BackupEvent> run)
    {
        var events = run.ToBlockingEnumerable().ToList();
        Assert.Empty(events.OfType<Failed>());
        return [.. events.OfType<Made>().Select(made => Assert.IsType<BotCodecMeasurement>(made.Item))];
    }

    private static Workplace Filled(string compression, string target = "")
    {
        var place = new Workplace(compression: compression, target: target);
        for (var i = 0; i < 20; i++)
            place.Write($"file-{i}.txt", Samples.Text(51_000, i));
        return place;
    }
}
