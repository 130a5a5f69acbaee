using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace BotCore.Backup.TestServers;

/// <summary>Says of a test class which programs its server needs. Its facts, inherited ones too, are skipped with the reason where one is missing: see <see cref="ServerFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsToolsAttribute(params string[] tools) : Attribute
{
    /// <summary>Why the class cannot be tested here; null where it can.</summary>
    public string? Missing => tools.Where(tool => Find(tool) is null).ToArray() is { Length: > 0 } missing ? $"Needs {string.Join(", ", missing)}."
        : AsRoot && !Environment.IsPrivilegedProcess ? "Needs root."
        : null;

    /// <summary>Whether only root can start the server.</summary>
    public bool AsRoot { get; set; }

    /// <summary>The file of a program: on PATH, or where servers are that only root runs.</summary>
    public static string? Find(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Append("/usr/sbin").Append("/sbin")
            .Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
}

/// <summary>A fact of a class that may say with <see cref="NeedsToolsAttribute"/> what it needs. Everywhere else it is a fact like any other.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("BotCore.Backup.TestServers.ServerFactDiscoverer", "BotCore.Backup.TestServers")]
public class ServerFactAttribute : FactAttribute;

/// <summary>The same for a theory, whose rows are given inline.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("BotCore.Backup.TestServers.ServerTheoryDiscoverer", "BotCore.Backup.TestServers")]
public sealed class ServerTheoryAttribute : TheoryAttribute;

/// <summary>xunit's seam: an attribute of a method does not know in which class it is run, a test case does.</summary>
public sealed class ServerFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    /// <inheritdoc/>
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        new ServerTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, null);
}

/// <summary>The same for a theory.</summary>
public sealed class ServerTheoryDiscoverer(IMessageSink sink) : TheoryDiscoverer(sink)
{
    /// <inheritdoc/>
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute, object[] dataRow) =>
        [new ServerTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, dataRow)];
}

/// <summary>A test case that is skipped where its class says that something is missing.</summary>
public sealed class ServerTestCase : XunitTestCase
{
    /// <summary>For the runner.</summary>
    [Obsolete("Called by the runner, which fills it in.")]
    public ServerTestCase()
    {
    }

    internal ServerTestCase(IMessageSink sink, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method, object[]? arguments)
        : base(sink, display, options, method, arguments)
    {
    }

    /// <inheritdoc/>
    protected override string? GetSkipReason(IAttributeInfo factAttribute) =>
        base.GetSkipReason(factAttribute)
            ?? TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsToolsAttribute).AssemblyQualifiedName).FirstOrDefault()?.GetNamedArgument<string?>(nameof(NeedsToolsAttribute.Missing));
}
