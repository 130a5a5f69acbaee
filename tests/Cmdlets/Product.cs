using System.Management.Automation;
using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace BotCore.Backup.Cmdlets.Tests;

/// <summary>The cmdlets as the assembly declares them, and the files of the repository that speak of them.</summary>
internal static partial class Product
{
    public static Assembly Assembly { get; } = typeof(FailureRecords).Assembly;

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<Type> Cmdlets { get; } =
        [.. Assembly.GetExportedTypes().Where(type => !type.IsAbstract && Attribute(type, typeof(CmdletAttribute)) is not null).OrderBy(type => type.Name, StringComparer.Ordinal)];

    /// <summary>The module manifest's text.</summary>
    public static string Manifest => File.ReadAllText(Path.Combine(Root, "BotCore.Backup.psd1"));

    public static CustomAttributeData? Attribute(MemberInfo member, Type attribute) =>
        member.GetCustomAttributesData().FirstOrDefault(data => data.AttributeType == attribute);

    public static string VerbOf(Type cmdlet) => (string)Attribute(cmdlet, typeof(CmdletAttribute))!.ConstructorArguments[0].Value!;

    public static string NounOf(Type cmdlet) => (string)Attribute(cmdlet, typeof(CmdletAttribute))!.ConstructorArguments[1].Value!;

    public static object? Named(CustomAttributeData attribute, string name) =>
        attribute.NamedArguments.Where(argument => string.Equals(argument.MemberName, name, StringComparison.Ordinal)).Select(argument => argument.TypedValue.Value).FirstOrDefault();

    public static IEnumerable<PropertyInfo> ParametersOf(Type cmdlet) =>
        cmdlet.GetProperties().Where(property => Attribute(property, typeof(ParameterAttribute)) is not null);

    /// <summary>The words in quotes of a list in the module manifest.</summary>
    public static IReadOnlyList<string> ManifestList(string key)
    {
        var list = Regex.Match(Manifest, $@"^\s*{key}\s*=\s*@\((?<items>[^)]*)\)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        Assert.True(list.Success, $"The module manifest has no list {key}.");
        return [.. Quoted().Matches(list.Groups["items"].Value).Select(match => match.Groups["word"].Value)];
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "BotCore.Backup.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder.FullName;
    }

    [GeneratedRegex("'(?<word>[^']*)'", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Quoted();
}
