namespace BotCore.Backup.Bench;

/// <summary>One way to replay.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Lanes">Connections.</param>
/// <param name="Batch">Operations of one applyOps, at most.</param>
/// <param name="Part">One such part of the oplog is replayed.</param>
internal sealed record Contender(string Name, int Lanes, int Batch, int Part)
{
    public List<double> Rates { get; } = [];

    public double Median => Rates.Order().ElementAt(Rates.Count / 2);
}
