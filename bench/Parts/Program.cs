using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// The parts of a seal, each alone on one thread: dotnet run -c Release --project bench/Parts -- --filter '*Codec*'. Whole jobs against other tools are bench/race.sh's.
// In this process, since a project that BenchmarkDotNet makes would restore packages of its own; three rounds each, for the parts are far apart.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
