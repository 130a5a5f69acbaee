namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>Victims of one event, as many as memory is to hold at a time.</summary>
/// <param name="Victims">Their ids.</param>
/// <param name="Born">Of an update, documents that were inserted while it ran.</param>
/// <param name="Written">Documents that something else wrote, too: of an update while it ran (or it wrote them twice), of a delete after the event had deleted them.</param>
internal sealed record VictimPart(VictimIds Victims, VictimIds Born, IReadOnlySet<UInt128> Written);
