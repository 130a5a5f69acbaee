using System.Text;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// Lists in one setting: separated by commas or newlines where there is one outside of quotes, otherwise by white space. An element, or what follows its
/// <c>=</c>, may stand in <c>'</c> or <c>"</c> and then holds anything. Empty elements are left out.
/// </summary>
internal static class ListSyntax
{
    private enum Piece
    {
        Text,
        Comma,
        Blank,
    }

    /// <summary>The elements, or null where a quote is not closed or something stands right after a closing quote.</summary>
    internal static IReadOnlyList<string>? Split(string value, bool blanksSeparate = true)
    {
        if (Scan(value) is not { } pieces)
            return null;
        var commas = !blanksSeparate || pieces.Exists(piece => piece.Kind == Piece.Comma);
        var elements = new List<string>();
        var element = new StringBuilder();
        var quoted = false;
        foreach (var (kind, text, inQuotes) in pieces)
        {
            if (kind == Piece.Comma || (kind == Piece.Blank && !commas))
            {
                Close();
                continue;
            }

            // Blanks around an element are not part of it; those in quotes are.
            if (kind == Piece.Blank && element.Length == 0 && !quoted)
                continue;
            element.Append(text);
            quoted |= inQuotes;
        }

        Close();
        return elements;

        void Close()
        {
            var text = quoted ? element.ToString() : element.ToString().TrimEnd();
            if (text.Length > 0)
                elements.Add(text);
            element.Clear();
            quoted = false;
        }
    }

    private static List<(Piece Kind, string Text, bool Quoted)>? Scan(string value)
    {
        var pieces = new List<(Piece Kind, string Text, bool Quoted)>();
        for (var at = 0; at < value.Length; at++)
        {
            var c = value[at];
            if (c is '\'' or '"' && StartsHere(pieces))
            {
                var end = value.IndexOf(c, at + 1);
                if (end < 0 || !EndsElement(value, end + 1))
                    return null;
                pieces.Add((Piece.Text, value[(at + 1)..end], true));
                at = SkipBlanks(value, end + 1) - 1;
                // Blanks that separate must stay; those before a comma or the end say nothing.
                if (at > end && at + 1 < value.Length && value[at + 1] is not (',' or '\n'))
                    pieces.Add((Piece.Blank, " ", false));
            }
            else
            {
                pieces.Add((c is ',' or '\n' ? Piece.Comma : char.IsWhiteSpace(c) ? Piece.Blank : Piece.Text, c.ToString(), false));
            }
        }

        return pieces;
    }

    // A quote in the middle of a word is a letter (o'brien); at its start, or after "name=", it opens.
    private static bool StartsHere(List<(Piece Kind, string Text, bool Quoted)> pieces) =>
        pieces.Count == 0 || pieces[^1].Kind != Piece.Text || pieces[^1] is { Text: "=", Quoted: false };

    private static bool EndsElement(string value, int at) => at >= value.Length || value[at] == ',' || char.IsWhiteSpace(value[at]);

    private static int SkipBlanks(string value, int at)
    {
        while (at < value.Length && value[at] != '\n' && char.IsWhiteSpace(value[at]))
            at++;
        return at;
    }
}
