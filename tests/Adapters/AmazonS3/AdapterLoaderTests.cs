using System.Runtime.Loader;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Adapters;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>Third-party assemblies stay in a room of their own.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class AdapterLoaderTests(S3Server server)
{
    [ServerFact]
    public void After_a_call_of_S3_no_third_party_is_in_the_default_context()
    {
        var store = server.Open(server.Options(server.NewBucket()));
        S3StoreTests.Put(store, "config/a", [1]);

        var mine = AssemblyLoadContext.GetLoadContext(store.GetType().Assembly)!;
        Assert.NotSame(AssemblyLoadContext.Default, mine);
        Assert.False(mine.IsCollectible);
        Assert.Contains("AWSSDK.S3", Names(mine), StringComparer.Ordinal);
        Assert.Contains("AWSSDK.Core", Names(mine), StringComparer.Ordinal);
        Assert.DoesNotContain(Names(AssemblyLoadContext.Default), name => name.StartsWith("AWSSDK", StringComparison.Ordinal) || string.Equals(name, "BotCore.Backup.Adapters", StringComparison.Ordinal));
        // Ours are shared.
        Assert.Same(typeof(IStore).Assembly, AssemblyLoadContext.Default.Assemblies.Single(assembly => string.Equals(assembly.GetName().Name, "BotCore.Backup.Engine", StringComparison.Ordinal)));
        Assert.Equal(["BotCore.Backup.Adapters"], Names(mine).Where(name => name.StartsWith("BotCore.", StringComparison.Ordinal)), StringComparer.Ordinal);
    }

    [Fact]
    public void Adapters_that_are_not_there_or_broken_are_told()
    {
        var folder = Directory.CreateTempSubdirectory("botbackup-adapters-");
        try
        {
            Assert.Equal(FailureKind.AdapterMissing, Assert.Throws<BackupException>(() => AdapterLoader.Load(folder.FullName)).Failure.Kind);
            File.WriteAllText(Path.Combine(folder.CreateSubdirectory("adapters").FullName, "BotCore.Backup.Adapters.dll"), "no assembly");
            Assert.Equal(FailureKind.AdapterMissing, Assert.Throws<BackupException>(() => AdapterLoader.Load(folder.FullName)).Failure.Kind);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<string> Names(AssemblyLoadContext context) => [.. context.Assemblies.Select(assembly => assembly.GetName().Name!)];
}
