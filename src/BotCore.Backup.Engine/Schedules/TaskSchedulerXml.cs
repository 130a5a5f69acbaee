using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>The timetable for the Windows Task Scheduler: a file a task, for <c>schtasks /Create /XML</c> or Register-ScheduledTask. Source: Task Scheduler schema 1.2.</summary>
internal static class TaskSchedulerXml
{
    private const string Folder = "\\BotCore\\";

    private static readonly XNamespace Schema = "http://schemas.microsoft.com/windows/2004/02/mit/task";

    public static string FileOf(string name) => $"botbackup-{name}.xml";

    public static string Of(ScheduledTask task, TaskCommand command)
    {
        var words = command.Words(task.Name);
        var root = new XElement(
            Schema + "Task",
            new XAttribute("version", "1.2"),
            Element("RegistrationInfo", Element("URI", Folder + FileOf(task.Name)[..^4]), Element("Description", $"BotCore backup: {task.About}")),
            Element("Triggers", WithSchema(XElement.Parse(task.Trigger))),
            // The account is given when it is registered; a password has no place in a file.
            Element("Principals", new XElement(Schema + "Principal", new XAttribute("id", "Author"), Element("RunLevel", "HighestAvailable"))),
            Element(
                "Settings",
                Element("MultipleInstancesPolicy", "IgnoreNew"),
                Element("DisallowStartIfOnBatteries", "false"),
                Element("StopIfGoingOnBatteries", "false"),
                Element("StartWhenAvailable", task.Name is "incremental" or "health" ? "false" : "true"),
                Element("Enabled", "true"),
                Element("ExecutionTimeLimit", "PT0S"),
                Element("Priority", "7")),
            new XElement(
                Schema + "Actions",
                new XAttribute("Context", "Author"),
                Element("Exec", Element("Command", words[0]), Element("Arguments", string.Join(' ', words.Skip(1).Select(Quote))))));
        return string.Create(CultureInfo.InvariantCulture, $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}\n");
    }

    private static XElement Element(string name, params object[] content) => new(Schema + name, content);

    private static XElement WithSchema(XElement element) => new(Schema + element.Name.LocalName, element.Attributes(), element.HasElements ? element.Elements().Select(WithSchema) : element.Value);

    // As CommandLineToArgvW reads it: a backslash counts only before a quotation mark.
    private static string Quote(string word)
    {
        if (word.Length > 0 && !word.AsSpan().ContainsAny(" \t\""))
            return word;
        var text = new StringBuilder("\"");
        var slashes = 0;
        foreach (var letter in word)
        {
            if (letter == '\\')
            {
                slashes++;
                continue;
            }

            text.Append('\\', letter == '"' ? (slashes * 2) + 1 : slashes).Append(letter);
            slashes = 0;
        }

        return text.Append('\\', slashes * 2).Append('"').ToString();
    }
}
