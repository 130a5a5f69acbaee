using BotCore.Backup.Engine.Events;
using BotCore.Backup.Examples.QuickStart;

// Exit code: 0 only where every step was proven, 1 where one was not, 2 where the command line is wrong.
if (!TryParse(args, out var keep, out var sabotage))
{
    Console.Error.WriteLine("Usage: dotnet run --project examples/QuickStart [-- [--keep DIR] [--sabotage]]");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // Let the run clean up behind itself.
    pressed.Cancel = true;
    stop.Cancel();
};

var scratch = Directory.CreateTempSubdirectory("botbackup-quickstart-").FullName;
try
{
    await new Tour(scratch, keep, sabotage, stop.Token).RunAsync();
    Console.WriteLine("\nEvery step was proven.");
    return 0;
}
catch (NotProvenException wrong)
{
    Console.WriteLine($"\nNOT PROVEN. {wrong.Message}");
}
catch (BackupException wrong)
{
    Console.WriteLine($"\nFAILED. {wrong.Failure}");
}
catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
{
    Console.WriteLine($"\nFAILED. {wrong.Message}");
}
catch (OperationCanceledException)
{
    Console.WriteLine("\nSTOPPED before everything was proven.");
}
finally
{
    Directory.Delete(scratch, recursive: true);
}

return 1;

static bool TryParse(string[] args, out string? keep, out bool sabotage)
{
    (keep, sabotage) = (null, false);
    for (var i = 0; i < args.Length; i++)
    {
        if (args[i] is "--sabotage")
            sabotage = true;
        else if (args[i] is "--keep" && i + 1 < args.Length)
            keep = Path.GetFullPath(args[++i]);
        else
            return false;
    }

    return true;
}
