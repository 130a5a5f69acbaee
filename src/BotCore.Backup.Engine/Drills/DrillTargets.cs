using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Engine.Drills;

/// <summary>What recoveries are to reach: those of the platform's guide, Appendix B, unless DRILL_TARGETS says otherwise.</summary>
public static class DrillTargets
{
    private static readonly IReadOnlyDictionary<DrillScenario, DrillTarget> Guide = new Dictionary<DrillScenario, DrillTarget>
    {
        [DrillScenario.DatabaseCorruption] = new(TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)),
        [DrillScenario.CompleteFailure] = new(TimeSpan.FromHours(2), TimeSpan.FromMinutes(5)),
        [DrillScenario.ServiceFailure] = new(TimeSpan.FromMinutes(30), null),
        [DrillScenario.RegionalOutage] = new(TimeSpan.FromHours(4), TimeSpan.FromMinutes(15)),
        [DrillScenario.KeyLoss] = new(null, null),
    };

    /// <summary>The target of <paramref name="scenario"/>, with what <paramref name="text"/> says of it: <c>DatabaseCorruption=30min/1min, RegionalOutage=2h/-</c>, RTO before RPO, a dash for none.</summary>
    public static DrillTarget Of(DrillScenario scenario, string? text) => TryParse(text, out var given) && given.TryGetValue(scenario, out var own) ? own : Guide.GetValueOrDefault(scenario) ?? new DrillTarget(null, null);

    /// <summary>Reads such a text; false where it is something else.</summary>
    public static bool TryParse(string? text, out IReadOnlyDictionary<DrillScenario, DrillTarget> targets)
    {
        var found = new Dictionary<DrillScenario, DrillTarget>();
        targets = found;
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (part.Split('=', StringSplitOptions.TrimEntries) is not [var name, var times] || times.Split('/', StringSplitOptions.TrimEntries) is not [var rto, var rpo]
                || !Enum.TryParse<DrillScenario>(name, ignoreCase: true, out var scenario) || !Guide.ContainsKey(scenario) || int.TryParse(name, out _)
                || !TryTime(rto, out var most) || !TryTime(rpo, out var lost))
            {
                return false;
            }

            found[scenario] = new DrillTarget(most, lost);
        }

        return true;
    }

    private static bool TryTime(string text, out TimeSpan? time)
    {
        time = null;
        if (text is "-")
            return true;
        var isTime = BudgetText.TryParse(text, out var read);
        time = read;
        return isTime;
    }
}
