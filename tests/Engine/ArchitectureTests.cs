using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace BotCore.Backup.Engine.Tests;

/// <summary>Holds what DESIGN.md section 2 says of the house, by reading the project files and the sources. Each test names all that break its rule.</summary>
public sealed partial class ArchitectureTests
{
    private const int LongestFile = 400;

    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["BotCore.Backup.Cmdlets"] = ["BotCore.Backup.Engine"],
        ["BotCore.Backup.Engine"] = ["BotCore.Backup.Protocols"],
        ["BotCore.Backup.Protocols"] = [],
        ["BotCore.Backup.Adapters"] = ["BotCore.Backup.Engine"],
        ["BotCore.Backup.Sandbox"] = ["BotCore.Backup.Engine", "BotCore.Backup.Protocols"],
    };

    // Third parties have a room of their own; every other project has what is named here.
    private static readonly Dictionary<string, string[]> Packages = new(StringComparer.Ordinal)
    {
        ["BotCore.Backup.Cmdlets"] = ["PowerShellStandard.Library"],
        ["BotCore.Backup.Engine"] = [],
        ["BotCore.Backup.Protocols"] = [],
        ["BotCore.Backup.Sandbox"] = [],
    };

    private static readonly string Root = FindRoot();

    private static readonly string[] Projects = Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories);

    private static readonly string[] Sources =
    [
        .. Directory.GetFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)),
    ];

    [Fact]
    public void There_is_something_to_look_at()
    {
        Assert.Contains(Path.Combine(Root, "src", "BotCore.Backup.Engine", "BotCore.Backup.Engine.csproj"), Projects, StringComparer.Ordinal);
        Assert.NotEmpty(Sources);
    }

    [Fact]
    public void Projects_refer_only_along_the_arrows() =>
        AssertNone(
            from project in Projects
            let name = Path.GetFileNameWithoutExtension(project)
            from reference in References(project, "ProjectReference").Where(reference => !IsBuildEdge(reference))
            let to = Path.GetFileNameWithoutExtension(Included(reference).Replace('\\', '/'))
            where !Arrows.TryGetValue(name, out var allowed) || !allowed.Contains(to, StringComparer.Ordinal)
            select $"{name} -> {to}");

    [Fact]
    public void Every_project_of_the_house_has_its_arrows() =>
        AssertNone(Projects.Select(project => Path.GetFileNameWithoutExtension(project)).Where(name => !Arrows.ContainsKey(name)));

    [Fact]
    public void Packages_are_known_to_their_own_room_only() =>
        AssertNone(
            from project in Projects
            let name = Path.GetFileNameWithoutExtension(project)
            from package in References(project, "PackageReference").Select(Included)
            where Packages.TryGetValue(name, out var allowed) ? !allowed.Contains(package, StringComparer.Ordinal) : IsPowerShell(package)
            select $"{name}: {package}");

    // What stands in a props file reaches every project, so only analyzers may.
    [Fact]
    public void Shared_build_files_give_analyzers_only() =>
        AssertNone(
            from props in new[] { Path.Combine(Root, "Directory.Build.props"), Path.Combine(Root, "src", "Directory.Build.props") }
            from reference in References(props, "PackageReference").Concat(References(props, "ProjectReference"))
            where !Included(reference).Contains("Analyzer", StringComparison.Ordinal) || !string.Equals((string?)reference.Attribute("PrivateAssets"), "all", StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Root, props)}: {Included(reference)}");

    [Fact]
    public void Assemblies_are_referred_to_by_no_other_way() =>
        AssertNone(from project in Projects from reference in References(project, "Reference") select $"{Path.GetFileName(project)}: {Included(reference)}");

    [Fact]
    public void PowerShell_is_known_to_the_doors_only() =>
        AssertNone(Sources.Where(file => !file.StartsWith("src/BotCore.Backup.Cmdlets/", StringComparison.Ordinal) && Code(file).Contains("System.Management.Automation", StringComparison.Ordinal)));

    [Fact]
    public void Protocols_know_no_engine_and_the_engine_no_doors() =>
        AssertNone(Sources.Where(file =>
            (file.StartsWith("src/BotCore.Backup.Protocols/", StringComparison.Ordinal) && Code(file).Contains("BotCore.Backup.Engine", StringComparison.Ordinal))
            || (!file.StartsWith("src/BotCore.Backup.Cmdlets/", StringComparison.Ordinal) && Code(file).Contains("BotCore.Backup.Cmdlets", StringComparison.Ordinal))));

    [Fact]
    public void No_file_is_too_long() =>
        AssertNone(from file in Sources let lines = File.ReadLines(Path.Combine(Root, file)).Count() where lines > LongestFile select $"{file}: {lines} lines");

    [Fact]
    public void Files_begin_with_code_and_not_with_a_header() =>
        AssertNone(Sources.Where(file => File.ReadLines(Path.Combine(Root, file)).FirstOrDefault() is not { } first || first.TrimStart('\uFEFF').StartsWith('/')));

    [Fact]
    public void No_room_and_no_type_has_a_name_that_says_nothing() =>
        AssertNone(
            Sources.SelectMany(file => file.Split('/', '.').Where(part => SaysNothing().IsMatch(part)).Select(part => $"{file}: {part}"))
                .Concat(from file in Sources from Match type in TypeName().Matches(Code(file)) where SaysNothing().IsMatch(type.Groups["name"].Value) select $"{file}: {type.Groups["name"].Value}"));

    [Fact]
    public void Namespaces_are_the_rooms_that_files_stand_in() =>
        AssertNone(
            from file in Sources
            let room = Path.GetDirectoryName(file)!["src/".Length..].Replace('/', '.')
            where Namespace().Match(Code(file)) is not { Success: true } declared || !string.Equals(declared.Groups["name"].Value, room, StringComparison.Ordinal)
            select file);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "BotCore.Backup.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder.FullName;
    }

    private static IEnumerable<XElement> References(string project, string kind) => XDocument.Load(project).Descendants(kind);

    private static string Included(XElement reference) => (string?)reference.Attribute("Include") ?? "";

    // An edge that only orders the build brings no assembly along.
    private static bool IsBuildEdge(XElement reference) => string.Equals((string?)reference.Attribute("ReferenceOutputAssembly"), "false", StringComparison.OrdinalIgnoreCase);

    private static bool IsPowerShell(string package) =>
        package.StartsWith("PowerShellStandard", StringComparison.OrdinalIgnoreCase) || package.StartsWith("Microsoft.PowerShell", StringComparison.OrdinalIgnoreCase)
        || package.StartsWith("System.Management.Automation", StringComparison.OrdinalIgnoreCase);

    private static string Code(string file) => Comment().Replace(File.ReadAllText(Path.Combine(Root, file)), "");

    private static void AssertNone(IEnumerable<string> breaking)
    {
        var found = breaking.ToList();
        Assert.True(found.Count == 0, string.Join(Environment.NewLine, found));
    }

    [GeneratedRegex("(Helper|Util|Utils|Utility|Utilities|Common|Manager|Misc)s?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SaysNothing();

    [GeneratedRegex(@"\b(class|struct|record|interface|enum)\s+(?<name>[A-Z]\w*)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"^namespace\s+(?<name>[\w.]+);", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Namespace();

    [GeneratedRegex("^\\s*//.*$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comment();
}
