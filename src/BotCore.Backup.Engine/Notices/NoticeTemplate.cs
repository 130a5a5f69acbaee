using System.Text;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Notices;

/// <summary>NOTICE_TEMPLATE: the text of a notice with <c>{words}</c> that stand for what happened. Other braces are text. Immutable.</summary>
internal sealed partial class NoticeTemplate
{
    private const int MostBytes = 64 << 10;

    private static readonly string[] Names = ["outcome", "subject", "host", "command", "kind", "run", "summary", "failures", "recovered", "warnings", "duration", "started", "ended", "since", "log"];

    private readonly string _text;

    internal NoticeTemplate(string text) => _text = text.ReplaceLineEndings("\n");

    /// <summary>The words that there are, for people.</summary>
    public static string Known => string.Join(", ", Names.Select(name => $"{{{name}}}"));

    /// <summary>The words in it that nothing stands for.</summary>
    public IReadOnlyList<string> Unknown => [.. Word().Matches(_text).Select(match => match.Value).Where(word => !Names.Contains(word[1..^1], StringComparer.Ordinal)).Distinct(StringComparer.Ordinal)];

    /// <summary>Throws ConfigurationInvalid where it cannot be read.</summary>
    public static NoticeTemplate Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                throw Wrong(path, $"The template of notices {path} does not exist.");
            if (file.Length is 0 or > MostBytes)
                throw Wrong(path, $"The template of notices {path} is empty, or larger than 64 KiB.");
            return new NoticeTemplate(File.ReadAllText(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true)));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw Wrong(path, $"The template of notices {path} cannot be read as text: {cause.Message}", cause);
        }
    }

    public string Fill(Func<string, string?> value) => Word().Replace(_text, match => value(match.Value[1..^1]) ?? match.Value);

    private static BackupException Wrong(string path, string message, Exception? cause = null) =>
        new(FailureKind.ConfigurationInvalid, message, "Correct NOTICE_TEMPLATE, or take it out; until then notices have their plain text.", path, cause);

    [GeneratedRegex(@"\{[A-Za-z]+\}", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Word();
}
