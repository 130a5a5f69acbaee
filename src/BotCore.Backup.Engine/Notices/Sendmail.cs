using System.Globalization;
using System.Net.Mail;
using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Programs;

namespace BotCore.Backup.Engine.Notices;

/// <summary>Letters through the machine's own mail system. It takes them into its queue; what becomes of them there it tells the sender.</summary>
internal static class Sendmail
{
    private const int LongestLine = 900;

    public static void Send(string program, NoticeMail mail, CancellationToken token)
    {
        var sender = mail.From.Length == 0 ? null : new MailAddress(mail.From).Address;
        ProgramAnswer? answer;
        try
        {
            answer = ProgramRun.TryRun(program, sender is null ? ["-t", "-i"] : ["-t", "-i", "-f", sender], Letter(mail), token);
        }
        catch (BackupException late)
        {
            throw Failed(program, late.Failure.Message, late);
        }

        if (answer is null)
            throw new BackupException(FailureKind.ToolMissing, $"{program} could not be started.", "Install a mail system, or set SMTP_HOST.", program);
        if (answer.ExitCode != 0)
            throw Failed(program, string.Create(CultureInfo.InvariantCulture, $"{program} did not take the notice, and ended with {answer.ExitCode}: {NoticeText.Cut(NoticeText.OneLine(answer.Errors), 300)}"));
    }

    /// <summary>The letter as it goes into the program.</summary>
    internal static string Letter(NoticeMail mail)
    {
        var text = new StringBuilder();
        if (mail.From.Length > 0)
            Header("From", Address(mail.From));
        Header("To", string.Join(",\n ", mail.Recipients.Select(Address)));
        Header("Subject", Word(mail.Subject));
        Header("Auto-Submitted", "auto-generated");
        Header("MIME-Version", "1.0");
        Header("Content-Type", "text/plain; charset=utf-8");
        var isPlain = Ascii.IsValid(mail.Text) && mail.Text.Split('\n').All(line => line.Length <= LongestLine);
        Header("Content-Transfer-Encoding", isPlain ? "7bit" : "base64");
        text.Append('\n');
        text.Append(isPlain ? mail.Text : Convert.ToBase64String(Encoding.UTF8.GetBytes(mail.Text), Base64FormattingOptions.InsertLineBreaks).Replace("\r\n", "\n", StringComparison.Ordinal));
        return text.Append('\n').ToString();

        void Header(string name, string value) => text.Append(name).Append(": ").Append(value).Append('\n');
    }

    private static string Address(string text)
    {
        var address = new MailAddress(text);
        return address.DisplayName.Length == 0 ? address.Address : $"{(Ascii.IsValid(address.DisplayName) ? $"\"{address.DisplayName.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"" : Word(address.DisplayName))} <{address.Address}>";
    }

    // Words of 75 characters at most, as RFC 2047 has it; none is cut within a character.
    private static string Word(string text)
    {
        if (Ascii.IsValid(text) && text.Length <= LongestLine)
            return text;
        const int most = 30;
        var words = new List<string>();
        var part = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Encoding.UTF8.GetByteCount(part.ToString()) + rune.Utf8SequenceLength > most)
            {
                words.Add(part.ToString());
                part.Clear();
            }

            part.Append(rune.ToString());
        }

        words.Add(part.ToString());
        return string.Join("\n ", words.Select(word => $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(word))}?="));
    }

    private static BackupException Failed(string program, string message, Exception? cause = null) =>
        new(FailureKind.NoticeFailed, message, "See what the mail system's log says.", program, cause);
}
