using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.Models;

/// <summary>One model of MODEL_PATHS: a folder, or one file.</summary>
/// <param name="Name">The last name of its path.</param>
/// <param name="Path">Its absolute path.</param>
internal sealed record NamedModel(string Name, string Path)
{
    /// <summary>The folder that its entries are relative to: itself, or the one that its file is in. What is gone is taken for what its name looks like: a file has an extension.</summary>
    public string Root => IsFile ? System.IO.Path.GetDirectoryName(Path)! : Path;

    private bool IsFile => File.Exists(Path) || (!Directory.Exists(Path) && System.IO.Path.HasExtension(Path));

    /// <summary>All models. Two of one name could not be told apart: ConfigurationInvalid.</summary>
    public static IReadOnlyList<NamedModel> All(IReadOnlyList<string> paths)
    {
        var models = paths.Select(path => System.IO.Path.TrimEndingDirectorySeparator(path)).Select(path => new NamedModel(System.IO.Path.GetFileName(path), path)).ToList();
        if (models.Exists(model => model.Name.Length == 0))
            throw new BackupException(FailureKind.ConfigurationInvalid, "MODEL_PATHS names the root of the file system, which is no model.", "Name each model's own folder or file.", "MODEL_PATHS");
        if (models.GroupBy(model => model.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"MODEL_PATHS holds {twice.Count()} models named '{twice.Key}': {string.Join(", ", twice.Select(model => model.Path))}. A model is called by the last name of its path.",
                "Rename one of them, or name the folder that holds both as one model.",
                "MODEL_PATHS");
        }

        return models;
    }

    /// <summary>What of the disk is in its archive.</summary>
    public FileTreeScope Scope(IReadOnlyList<EntryPath> leaveOut) =>
        new(new EntryPath(Root)) { Selections = IsFile ? [new EntryPath(Name)] : [], Exact = IsFile, LeaveOut = leaveOut, Setting = "MODEL_PATHS" };
}
