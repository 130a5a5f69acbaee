using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

/// <summary>A fact on the test data of mongo-tools, which is no part of the project; it is skipped, with the reason, where the data is not beside it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolsDataFactAttribute : FactAttribute
{
    public ToolsDataFactAttribute()
    {
        if (Folder is null)
            Skip = "Needs shared/fixtures/mongo-tools beside the project.";
    }

    /// <summary>Where it is; null where it is not.</summary>
    public static string? Folder { get; } = Find();

    public static string Restore(params string[] path) => Path.Combine([Folder!, "mongorestore", "testdata", .. path]);

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "fixtures", "mongo-tools");
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
