using System.Reflection;
using System.Xml.Linq;
using BotCore.Backup.Engine;
using BotCore.Backup.Protocols.OpenPgp;
using Xunit;

namespace BotCore.Backup.Cmdlets.Tests;

/// <summary>Every public type says what it is. The files that the compiler wrote beside the assemblies are read.</summary>
public sealed class DocumentationTests
{
    public static TheoryData<string> Assemblies =>
        [.. new[] { Product.Assembly, typeof(BackupSession).Assembly, typeof(OpenPgpException).Assembly }.Select(assembly => assembly.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Public_types_have_a_summary(string name)
    {
        var assembly = Assembly.Load(name);
        var documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(member => member.Element("summary") is { } summary && !string.IsNullOrWhiteSpace(summary.Value))
            .Select(member => (string)member.Attribute("name")!)
            .ToHashSet(StringComparer.Ordinal);
        var types = assembly.GetExportedTypes();
        Assert.NotEmpty(types);
        var silent = types.Where(type => !documented.Contains("T:" + type.FullName!.Replace('+', '.'))).Select(type => type.FullName).ToList();
        Assert.True(silent.Count == 0, $"No summary: {string.Join(", ", silent)}");
    }
}
