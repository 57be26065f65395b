"""What a model must reach before it ships, computed from the results."""

from dataclasses import dataclass

GENERAL, ANIME = "RealESRGAN_General_x4_v3", "realesr-animevideov3-x4"
DEGRADED = ("mild", "strong")
# Metric, how it is written, and whether more is better.
DECISIVE = (("psnr_y", "PSNR-Y", 1), ("ssimulacra2", "SSIMULACRA2", 1), ("vgg", "VGG16", -1))
TOLERANCE = 0.02
COLOUR_LIMIT = 0.5


@dataclass(frozen=True)
class Goal:
    """One requirement; `passed` is None where its peer was not measured."""

    text: str
    passed: bool | None
    detail: str = ""

    def __str__(self):
        word = {True: "pass", False: "FAIL", None: "not measured"}[self.passed]
        return f"{word}: {self.text}" + (f" ({self.detail})" if self.detail else "")


def gains(ours, theirs):
    """By what part of the other's value each metric is better; negative where it is worse.

    Parts of SSIMULACRA2 are large where the other is near zero; `listed` shows both values.
    """
    return {
        metric: sign * (ours[metric] - theirs[metric]) / max(abs(theirs[metric]), 1e-9)
        for metric, _, sign in DECISIVE
    }


def listed(parts, ours, theirs):
    names = {metric: name for metric, name, _ in DECISIVE}
    return ", ".join(
        f"{names[metric]} {ours[metric]:.4g} against {theirs[metric]:.4g}, {part:+.1%}"
        for metric, part in parts.items()
    )


def better_in_all(parts):
    return all(part > 0 for part in parts)


def better_in_two(parts):
    return sum(part > 0 for part in parts) >= 2 and min(parts) >= -TOLERANCE


WORDS = {
    better_in_all: "better than {} in all three on {}",
    better_in_two: "better than {} in two of three, worse in none by over 2%, on {}",
}


def balanced(results, model):
    goals = [
        compared(results, model, peer, degradation, better_in_all)
        for peer in (GENERAL, ANIME)
        for degradation in DEGRADED
    ]
    return [*goals, compared(results, model, "bicubic", "bicubic", better_in_all)]


def fast(results, model):
    goals = [compared(results, model, ANIME, name, better_in_two) for name in DEGRADED]
    return [*goals, everywhere(results, model)]


def compared(results, model, peer, degradation, rule):
    """A goal about the means of the sets."""
    rows, text = results.means.get(degradation, {}), WORDS[rule].format(peer, degradation)
    if peer not in rows:
        return Goal(text, None)
    parts = gains(rows[model], rows[peer])
    detail = listed(parts, rows[model], rows[peer])
    return Goal(text, rule(list(parts.values())), detail)


def everywhere(results, model):
    """Better than bicubic in every set, however degraded."""
    failures, count = [], 0
    for degradation, sets in results.sets.items():
        for name, rows in sets.items():
            count += 1
            ours, theirs = rows[model], rows["bicubic"]
            worse = {metric: part for metric, part in gains(ours, theirs).items() if part <= 0}
            if worse:
                failures.append(f"{name}, {degradation}: {listed(worse, ours, theirs)}")
    detail = "; ".join([f"{count - len(failures)} of {count} tables", *failures])
    return Goal("better than bicubic in all three in every set", not failures, detail)


def colour(results, model):
    worst = results.shifts[model]
    text = f"mean colour of every picture within {COLOUR_LIMIT} of bicubic's"
    detail = f"worst {worst.amount:.2f}: {worst.source}, {worst.degradation}"
    return Goal(text, worst.amount <= COLOUR_LIMIT, detail)


def all_goals(results, model):
    """Lists of goals by the kind of model that they are for."""
    return {
        "fast": fast(results, model),
        "balanced": balanced(results, model),
        "both": [colour(results, model)],
    }
