using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// Reads the syntax of .env files, which is what shells and dotenv libraries agree on:
/// <c>KEY=VALUE</c> and <c>export KEY=VALUE</c>; lines that start with <c>#</c> are comments.
/// A bare value ends at the line's end or before a space and <c>#</c>, is trimmed, keeps its backslashes (Windows paths) and quotes inside.
/// A value that starts with a quote is a shell word: <c>'verbatim'</c>, <c>"with \n \t \r \" \\ \$ \` and ${VAR}"</c>, both over several lines, and parts may be
/// joined (<c>'it'\''s'</c>, <c>"$HOME"/x</c>). <c>$VAR</c>, <c>${VAR}</c>, <c>${VAR:-default}</c> and <c>${VAR-default}</c> are filled in, outside single quotes,
/// from the environment, then from earlier lines. Nothing is ever run: <c>$(...)</c> is text. CRLF and a byte order mark are understood.
/// </summary>
internal sealed class EnvFileParser(string text, string name, IReadOnlyDictionary<string, string> environment)
{
    // Values that repeat each other over many lines would otherwise fill the memory from a small file.
    private const int LongestResult = 8 << 20;
    private const int DeepestDefault = 16;

    private readonly string _text = Normalize(text);
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private int _at;
    private int _line = 1;
    private int _start = 1;
    private int _length;
    private string _key = string.Empty;

    internal List<EnvEntry> Entries { get; } = [];

    internal List<EnvRemark> Remarks { get; } = [];

    private bool AtEnd => _at >= _text.Length;

    private char Current => AtEnd ? '\0' : _text[_at];

    internal void Run()
    {
        var zero = _text.IndexOf('\0', StringComparison.Ordinal);
        if (zero >= 0)
        {
            _start = 1 + _text.AsSpan(0, zero).Count('\n');
            throw Unreadable("it holds a zero byte, so the file is no UTF-8 text");
        }

        while (SkipToAssignment())
            ReadAssignment();
    }

    private static string Normalize(string text) => (text.StartsWith('\uFEFF') ? text[1..] : text).Replace("\r\n", "\n", StringComparison.Ordinal);

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\r';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private static bool IsName(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    // Other programs name their settings so; they must not stop us.
    private static bool IsKey(char c) => IsName(c) || c is '.' or '-';

    private bool SkipToAssignment()
    {
        while (!AtEnd)
        {
            if (Current == '#')
                SkipLine();
            else if (IsBlank(Current) || Current == '\n')
                Take();
            else
                return true;
        }

        return false;
    }

    private void ReadAssignment()
    {
        _start = _line;
        _key = ReadKey();
        if (_key is "export" && IsBlank(Current))
        {
            SkipBlanks();
            if (IsNameStart(Current))
                _key = ReadKey();
        }

        SkipBlanks();
        if (_key.Length == 0 || Current != '=')
            throw Unreadable("it is neither KEY=VALUE nor a comment");
        Take();
        var value = ReadValue(SkipBlanks());
        _length += value.Length;
        _values[_key] = value;
        Entries.Add(new EnvEntry(_key, value, _start));
    }

    private string ReadKey()
    {
        var from = _at;
        if (IsNameStart(Current))
        {
            while (IsKey(Current))
                Take();
        }

        return _text[from.._at];
    }

    private string ReadValue(bool spaced)
    {
        if (AtEnd || Current == '\n')
            return string.Empty;
        if (spaced && Current == '#')
        {
            SkipLine();
            return string.Empty;
        }

        return Current is '"' or '\'' ? ReadWord() : ReadBare();
    }

    private string ReadBare()
    {
        var value = new StringBuilder();
        while (!AtEnd && Current != '\n')
        {
            if (Current == '#' && value.Length > 0 && IsBlank(_text[_at - 1]))
            {
                SkipLine();
                break;
            }

            if (Current == '\\' && Peek() == '$')
                Take();
            else if (Current == '$')
            {
                ReadDollar(value, depth: 0);
                continue;
            }

            Append(value, Take());
        }

        return value.ToString().TrimEnd(' ', '\t', '\r');
    }

    private string ReadWord()
    {
        var value = new StringBuilder();
        while (!AtEnd && Current != '\n' && !IsBlank(Current))
        {
            switch (Current)
            {
                case '\'':
                    ReadSingleQuoted(value);
                    break;
                case '"':
                    ReadDoubleQuoted(value);
                    break;
                case '$':
                    ReadDollar(value, depth: 0);
                    break;
                case '\\' when Peek() is not ('\0' or '\n'):
                    Take();
                    Append(value, Take());
                    break;
                default:
                    Append(value, Take());
                    break;
            }
        }

        SkipBlanks();
        if (Current == '#')
            SkipLine();
        else if (!AtEnd && Current != '\n')
            throw Unreadable("something stands after the closing quote");
        return value.ToString();
    }

    private void ReadSingleQuoted(StringBuilder value)
    {
        var opened = _line;
        Take();
        while (Current != '\'')
            Append(value, TakeInside(opened));
        Take();
    }

    private void ReadDoubleQuoted(StringBuilder value)
    {
        var opened = _line;
        Take();
        while (Current != '"')
        {
            if (Current == '$')
                ReadDollar(value, depth: 0);
            else if (Current == '\\')
                ReadEscape(value, opened);
            else
                Append(value, TakeInside(opened));
        }

        Take();
    }

    private void ReadEscape(StringBuilder value, int opened)
    {
        Take();
        var c = TakeInside(opened);
        switch (c)
        {
            case 'n':
                Append(value, '\n');
                break;
            case 'r':
                Append(value, '\r');
                break;
            case 't':
                Append(value, '\t');
                break;
            case '"' or '\\' or '$' or '`':
                Append(value, c);
                break;
            case '\n':
                break;
            default:
                Append(value, '\\');
                Append(value, c);
                break;
        }
    }

    /// <summary>At a dollar sign: appends what it stands for.</summary>
    private void ReadDollar(StringBuilder value, int depth)
    {
        Take();
        if (Current == '{')
        {
            ReadBraced(value, depth);
        }
        else if (IsNameStart(Current))
        {
            var variable = ReadName();
            Append(value, LookUp(variable) ?? Unset(variable));
        }
        else
        {
            if (Current == '(')
                Remarks.Add(new EnvRemark(_key, _start, "holds $(...), which is taken as text: the file is never run"));
            Append(value, '$');
        }
    }

    private void ReadBraced(StringBuilder value, int depth)
    {
        if (depth >= DeepestDefault)
            throw Unreadable("its ${...} are nested too deeply");
        Take();
        var variable = ReadName();
        var found = LookUp(variable);
        if (Current == ':' && Peek() == '-')
        {
            Take();
            found = string.IsNullOrEmpty(found) ? null : found;
        }

        string? fallback = null;
        if (Current == '-' && variable.Length > 0)
        {
            Take();
            fallback = ReadDefault(depth);
        }

        if (variable.Length == 0 || Current != '}')
            throw Unreadable("its ${...} is not ${NAME}, ${NAME:-default} or ${NAME-default}, or is not closed");
        Take();
        Append(value, found ?? fallback ?? Unset(variable));
    }

    private string ReadDefault(int depth)
    {
        var value = new StringBuilder();
        while (Current != '}')
        {
            if (AtEnd || Current is '"' or '\'' or '\n')
                throw Unreadable("the default in its ${...} holds a quote or is not closed");
            if (Current == '$')
            {
                ReadDollar(value, depth + 1);
                continue;
            }

            if (Current == '\\' && Peek() is ('}' or '$' or '\\'))
                Take();
            if (AtEnd)
                continue;
            Append(value, Take());
        }

        return value.ToString();
    }

    private string ReadName()
    {
        var from = _at;
        if (IsNameStart(Current))
        {
            while (IsName(Current))
                Take();
        }

        return _text[from.._at];
    }

    // The process environment wins over the file, here as everywhere.
    private string? LookUp(string variable) =>
        environment.TryGetValue(variable, out var value) || _values.TryGetValue(variable, out value) ? value : null;

    private string Unset(string variable)
    {
        Remarks.Add(new EnvRemark(_key, _start, $"uses ${{{variable}}}, which is not set and so empty"));
        return string.Empty;
    }

    private void Append(StringBuilder value, char c)
    {
        value.Append(c);
        CheckLength(value);
    }

    private void Append(StringBuilder value, string part)
    {
        value.Append(part);
        CheckLength(value);
    }

    private void CheckLength(StringBuilder value)
    {
        if (_length + value.Length > LongestResult)
            throw Unreadable("its variables grow beyond all measure");
    }

    private char Peek() => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

    private char Take()
    {
        var c = _text[_at++];
        if (c == '\n')
            _line++;
        return c;
    }

    private char TakeInside(int opened)
    {
        if (!AtEnd)
            return Take();
        _start = opened;
        throw Unreadable("a quote is opened and never closed");
    }

    private bool SkipBlanks()
    {
        var from = _at;
        while (IsBlank(Current))
            Take();
        return _at > from;
    }

    private void SkipLine()
    {
        while (!AtEnd && Current != '\n')
            Take();
    }

    private BackupException Unreadable(string why) => new(
        FailureKind.ConfigurationInvalid,
        $"Line {_start} of {name} cannot be read: {why}.",
        "Write KEY=VALUE, and put single quotes around a value that holds spaces, quotes or dollar signs.",
        name);
}
