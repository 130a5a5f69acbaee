using System.Management.Automation;
using System.Reflection;
using System.Security;
using System.Text.RegularExpressions;
using Xunit;

namespace BotCore.Backup.Cmdlets.Tests;

/// <summary>What PSScriptAnalyzer does for scripts, for compiled cmdlets. Each test names all that break its rule.</summary>
public sealed class ConventionTests
{
    private static readonly Type[] VerbGroups =
        [typeof(VerbsCommon), typeof(VerbsCommunications), typeof(VerbsData), typeof(VerbsDiagnostic), typeof(VerbsLifecycle), typeof(VerbsSecurity), typeof(VerbsOther)];

    // A switch that allows all of a kind says so; the design has it. "As" is a word that ends so.
    private static readonly HashSet<string> PluralByDesign = new(StringComparer.Ordinal) { "AllowDevices", "As" };

    private static readonly HashSet<string> ReadingVerbs = new(StringComparer.Ordinal) { "Get", "Test", "Find", "Measure" };

    [Fact]
    public void There_are_cmdlets() => Assert.NotEmpty(Product.Cmdlets);

    [Fact]
    public void Verbs_are_approved()
    {
        var approved = VerbGroups.SelectMany(group => group.GetFields(BindingFlags.Public | BindingFlags.Static))
            .Select(field => (string)field.GetRawConstantValue()!).ToHashSet(StringComparer.Ordinal);
        AssertNone(Product.Cmdlets.Where(cmdlet => !approved.Contains(Product.VerbOf(cmdlet))), "verb that is not approved");
    }

    [Fact]
    public void Nouns_begin_with_Bot_and_are_singular() =>
        AssertNone(Product.Cmdlets.Where(cmdlet => !Product.NounOf(cmdlet).StartsWith("Bot", StringComparison.Ordinal) || IsPlural(Product.NounOf(cmdlet))), "noun that is not a singular one of Bot");

    [Fact]
    public void Classes_and_files_are_named_as_their_cmdlet() =>
        AssertNone(
            Product.Cmdlets.Where(cmdlet => !string.Equals(cmdlet.Name, Product.VerbOf(cmdlet) + Product.NounOf(cmdlet), StringComparison.Ordinal) || !File.Exists(Source(cmdlet))),
            "name that is not its cmdlet's without the hyphen");

    [Fact]
    public void Changing_verbs_support_ShouldProcess_and_reading_ones_do_not() =>
        AssertNone(
            Product.Cmdlets.Where(cmdlet =>
                (Product.Named(Product.Attribute(cmdlet, typeof(CmdletAttribute))!, nameof(CmdletAttribute.SupportsShouldProcess)) is true) == ReadingVerbs.Contains(Product.VerbOf(cmdlet))),
            "ShouldProcess that does not fit its verb");

    [Fact]
    public void Every_cmdlet_says_what_it_gives() =>
        AssertNone(Product.Cmdlets.Where(cmdlet => Product.Attribute(cmdlet, typeof(OutputTypeAttribute)) is null), "missing OutputType");

    [Fact]
    public void The_module_exports_every_cmdlet_and_nothing_else()
    {
        Assert.Equal(
            Product.Cmdlets.Select(cmdlet => $"{Product.VerbOf(cmdlet)}-{Product.NounOf(cmdlet)}").Order(StringComparer.Ordinal),
            Product.ManifestList("CmdletsToExport").Order(StringComparer.Ordinal));
        Assert.Empty(Product.ManifestList("FunctionsToExport"));
        Assert.Empty(Product.ManifestList("AliasesToExport"));
        Assert.Empty(Product.ManifestList("VariablesToExport"));
        Assert.DoesNotContain(Product.Cmdlets, cmdlet => Product.Attribute(cmdlet, typeof(AliasAttribute)) is not null);
    }

    [Fact]
    public void The_module_has_the_version_of_the_build()
    {
        var props = File.ReadAllText(Path.Combine(Product.Root, "Directory.Build.props"));
        Assert.Equal(First(props, "<VersionPrefix>(?<it>[^<]+)</VersionPrefix>"), First(Product.Manifest, @"^\s*ModuleVersion\s*=\s*'(?<it>[^']+)'"));
    }

    [Fact]
    public void Names_of_parameters_are_singular() =>
        AssertNone(Parameters(parameter => IsPlural(parameter.Name) && !PluralByDesign.Contains(parameter.Name)), "parameter whose name is a plural");

    [Fact]
    public void Secrets_are_never_plain_text() =>
        AssertNone(
            Parameters(parameter =>
                Regex.IsMatch(parameter.Name, "Passphrase|Password|Secret|Token|Credential", RegexOptions.None, TimeSpan.FromSeconds(1))
                && !Regex.IsMatch(parameter.Name, "(File|Path)$", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
                && parameter.PropertyType != typeof(SecureString) && parameter.PropertyType != typeof(PSCredential)),
            "secret that is neither a SecureString nor a file");

    [Fact]
    public void Yes_and_no_are_switches() =>
        AssertNone(Parameters(parameter => parameter.PropertyType == typeof(bool) || parameter.PropertyType == typeof(bool?)), "bool in place of a switch");

    // The reference assembly's SwitchParameter cannot be asked, so the source is.
    [Fact]
    public void No_switch_is_on_by_default()
    {
        var sources = Directory.GetFiles(Path.Combine(Product.Root, "src", "BotCore.Backup.Cmdlets"), "*.cs", SearchOption.AllDirectories);
        var set = sources.Where(file => Regex.IsMatch(File.ReadAllText(file), @"SwitchParameter\s+\w+\s*\{[^}]*\}\s*=", RegexOptions.None, TimeSpan.FromSeconds(1)));
        Assert.True(!set.Any(), $"A switch has a default in: {string.Join(", ", set)}");
    }

    [Fact]
    public void Literal_paths_take_files_from_the_pipeline() =>
        AssertNone(
            Parameters(parameter => string.Equals(parameter.Name, "LiteralPath", StringComparison.Ordinal))
                .Where(parameter => !Aliases(parameter).Contains("PSPath", StringComparer.Ordinal) || !Aliases(parameter).Contains("LP", StringComparer.Ordinal)),
            "LiteralPath without the aliases PSPath and LP");

    [Fact]
    public void Commands_that_ask_can_be_told_not_to() =>
        AssertNone(
            Product.Cmdlets.Where(cmdlet => Product.VerbOf(cmdlet) is "Restore" or "Remove" or "Undo" && Product.ParametersOf(cmdlet).All(parameter => !string.Equals(parameter.Name, "Force", StringComparison.Ordinal))),
            "question and no -Force");

    private static IEnumerable<PropertyInfo> Parameters(Func<PropertyInfo, bool> breaks) => Product.Cmdlets.SelectMany(Product.ParametersOf).Where(breaks);

    private static IEnumerable<string> Aliases(PropertyInfo parameter) =>
        Product.Attribute(parameter, typeof(AliasAttribute)) is { } alias && alias.ConstructorArguments[0].Value is IReadOnlyCollection<CustomAttributeTypedArgument> names
            ? names.Select(name => (string)name.Value!)
            : [];

    private static bool IsPlural(string name) => name.EndsWith('s') && !name.EndsWith("ss", StringComparison.Ordinal) && !name.EndsWith("Status", StringComparison.Ordinal);

    private static string Source(Type cmdlet) => Path.Combine(Product.Root, "src", "BotCore.Backup.Cmdlets", "Commands", cmdlet.Name + ".cs");

    private static string First(string text, string pattern) =>
        Regex.Match(text, pattern, RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)) is { Success: true } match
            ? match.Groups["it"].Value
            : throw new InvalidDataException($"Nothing matches {pattern}.");

    private static void AssertNone(IEnumerable<MemberInfo> breaking, string rule)
    {
        var names = breaking.Select(member => member is PropertyInfo ? $"{member.ReflectedType!.Name} -{member.Name}" : member.Name).ToList();
        Assert.True(names.Count == 0, $"A {rule}: {string.Join(", ", names)}");
    }
}
