using System.Runtime.Versioning;
using System.Security;
using System.Text;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Configuration;

/// <summary>A fact about Unix file modes.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
            Skip = "Windows has no file modes.";
    }
}

public sealed class PassphraseTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("geheim", "geheim")]
    [InlineData("geheim\n", "geheim")]
    [InlineData("geheim\r\n", "geheim")]
    [InlineData("geheim\nmore\n", "geheim")]
    [InlineData(" a b \n", " a b ")]
    [InlineData("a\rb\n", "a\rb")]
    [InlineData("wört\n", "wört")]
    public void The_first_line_is_the_passphrase(string text, string expected)
    {
        using var it = PassphraseSource.FromFile(_folder.Write("p", text));

        Assert.Equal(Encoding.UTF8.GetBytes(expected), it.Bytes.ToArray());
    }

    [Theory]
    [InlineData("", FailureKind.PassphraseMissing)]
    [InlineData("\n", FailureKind.PassphraseMissing)]
    [InlineData("\r\n", FailureKind.PassphraseMissing)]
    [InlineData("\ngeheim", FailureKind.PassphraseMissing)]
    [InlineData("geheim\0x\n", FailureKind.ConfigurationInvalid)]
    public void What_is_no_passphrase_is_refused(string text, FailureKind kind)
    {
        var failure = Assert.Throws<BackupException>(() => PassphraseSource.FromFile(_folder.Write("p", text))).Failure;

        Assert.Equal(kind, failure.Kind);
        Assert.DoesNotContain("geheim", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_longest_line_fits_and_a_longer_one_is_refused()
    {
        using (var it = PassphraseSource.FromFile(_folder.Write("p", new string('x', 4096) + "\r\n")))
            Assert.Equal(4096, it.Bytes.Length);
        Assert.Equal(FailureKind.ConfigurationInvalid, KindOf(_folder.Write("p", new string('x', 4097))));
    }

    [Fact]
    public void A_missing_file_or_a_folder_is_a_missing_passphrase()
    {
        Assert.Equal(FailureKind.PassphraseMissing, KindOf(Path.Combine(_folder.Path, "absent")));
        Assert.Equal(FailureKind.PassphraseMissing, KindOf(_folder.Path));
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void Modes_open_to_others_are_refused_and_the_rest_is_taken()
    {
        for (var bit = 0; bit < 9; bit++)
        {
            var mode = UnixFileMode.UserRead | (UnixFileMode)(1 << bit);
            var file = _folder.Write($"p{bit}", "geheim\n", mode);
            if (bit >= 6)
            {
                using var it = PassphraseSource.FromFile(file);
                Assert.Equal(6, it.Bytes.Length);
                continue;
            }

            var failure = Assert.Throws<BackupException>(() => PassphraseSource.FromFile(file)).Failure;
            Assert.Equal((FailureKind.PassphraseTooOpen, $"Run: chmod 600 {file}"), (failure.Kind, failure.Advice));
        }
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void Links_are_followed_and_the_file_behind_them_is_judged()
    {
        var file = _folder.Write("p", "geheim\n");
        var link = Path.Combine(_folder.Path, "link");
        File.CreateSymbolicLink(link, "p");
        PassphraseSource.FromFile(link).Dispose();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Equal(FailureKind.PassphraseTooOpen, KindOf(link));
        File.Delete(file);
        Assert.Equal(FailureKind.PassphraseMissing, KindOf(link));
    }

    [ToolFact("chown", "mkfifo")]
    public void A_file_of_another_user_and_a_fifo_are_refused()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var fifo = Path.Combine(_folder.Path, "fifo");
        Run("mkfifo", "-m", "600", fifo);
        Assert.Equal(FailureKind.PassphraseMissing, KindOf(fifo));
        // Only root can give files away.
        if (!string.Equals(Environment.UserName, "root", StringComparison.Ordinal))
            return;
        var file = _folder.Write("p", "geheim\n");
        Run("chown", "1234", file);
        var failure = Assert.Throws<BackupException>(() => PassphraseSource.FromFile(file)).Failure;
        Assert.Equal(FailureKind.PassphraseTooOpen, failure.Kind);
        Assert.Contains("1234", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_given_passphrase_goes_before_the_file_and_neither_is_missing()
    {
        _folder.Write("p", "from file\n");
        var it = _folder.Load("GPG_PASSPHRASE_FILE=p");
        using var given = Secure("wört😀");
        using (var passphrase = PassphraseSource.Resolve(it, given))
            Assert.Equal(Encoding.UTF8.GetBytes("wört😀"), passphrase.Bytes.ToArray());
        using (var passphrase = PassphraseSource.Resolve(it))
            Assert.Equal("from file"u8.ToArray(), passphrase.Bytes.ToArray());
        var none = _folder.Load("ENCRYPTION_ENABLED=true");
        Assert.Equal(FailureKind.PassphraseMissing, Assert.Throws<BackupException>(() => PassphraseSource.Resolve(none)).Failure.Kind);
    }

    [Theory]
    [InlineData("", FailureKind.PassphraseMissing)]
    [InlineData("a\nb", FailureKind.ConfigurationInvalid)]
    public void A_given_passphrase_must_fit_into_a_line(string text, FailureKind kind)
    {
        using var given = Secure(text);
        Assert.Equal(kind, Assert.Throws<BackupException>(() => PassphraseSource.FromSecureString(given)).Failure.Kind);
    }

    [Fact]
    public void A_given_passphrase_that_is_no_text_is_refused()
    {
        // Not as InlineData: the runner would replace the lone surrogate.
        using var given = Secure("a\ud800");
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => PassphraseSource.FromSecureString(given)).Failure.Kind);
    }

    [Fact]
    public void Disposing_zeroes_the_bytes()
    {
        var it = new Passphrase("geheim"u8);
        var bytes = (byte[])typeof(Passphrase).GetField("_bytes", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(it)!;
        it.Dispose();

        Assert.All(bytes, value => Assert.Equal(0, value));
        Assert.Throws<ObjectDisposedException>(() => it.Bytes.Length);
        Assert.Equal("***", it.ToString());
        it.Dispose();
    }

    [Fact]
    public void A_generated_file_is_read_back_and_never_overwritten()
    {
        var path = Path.Combine(_folder.Path, "new");
        PassphraseGenerator.Create(path);
        PassphraseGenerator.Create(path + "2");

        var text = File.ReadAllText(path);
        Assert.Equal((45, '\n'), (text.Length, text[^1]));
        Assert.Equal(32, Convert.FromBase64String(text.TrimEnd()).Length);
        Assert.False(string.Equals(text, File.ReadAllText(path + "2"), StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(path));
        using (var it = PassphraseSource.FromFile(path))
            Assert.Equal(44, it.Bytes.Length);
        Assert.Equal(FailureKind.DestinationNotEmpty, Assert.Throws<BackupException>(() => PassphraseGenerator.Create(path)).Failure.Kind);
        Assert.Equal(text, File.ReadAllText(path));
        Assert.Equal(FailureKind.ConfigurationMissing, Assert.Throws<BackupException>(() => PassphraseGenerator.Create(Path.Combine(_folder.Path, "absent", "x"))).Failure.Kind);
        File.CreateSymbolicLink(path + "3", "dangling");
        Assert.Equal(FailureKind.DestinationNotEmpty, Assert.Throws<BackupException>(() => PassphraseGenerator.Create(path + "3")).Failure.Kind);
    }

    private static FailureKind KindOf(string path) => Assert.Throws<BackupException>(() => PassphraseSource.FromFile(path)).Failure.Kind;

    private static SecureString Secure(string text)
    {
        var it = new SecureString();
        foreach (var c in text)
            it.AppendChar(c);
        return it;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
