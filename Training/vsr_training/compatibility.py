"""What the parts of a run demand of each other, so that a mistake shows before anything is read."""

from inspect import signature

from .methods import METHODS
from .networks import KINDS
from .perceptual import VGG16


def check(run):
    """Whether networks, methods and files of a run go together."""
    if not run.stages or not run.mixture:
        raise ValueError("a run needs a [[stage]] and a pack in [mixture]")
    check_network(run)
    for stage in run.stages:
        if run.kind not in METHODS[stage.method].kinds:
            raise ValueError(f"'{stage.method}' cannot train a network '{run.kind}'")
    if run.stages[0].method == "distillation" and not run.start:
        raise ValueError("'distillation' needs a teacher: a stage before it, or a start")


def check_network(run):
    choose("networks", [run.kind], KINDS)
    choose("settings of a network", run.network, {"kind", *signature(KINDS[run.kind]).parameters})
    if (run.kind == "tadsr") != bool(run.autoencoder):
        raise ValueError("a network 'tadsr' and an autoencoder need each other")


def check_stage(stage):
    """Whether there is such a method with such options; `loss` is still the table of a file."""
    choose("methods", [stage.method], METHODS)
    method = METHODS[stage.method]
    choose(f"options of '{stage.method}'", stage.options, method.option_names())
    if "pixel" in stage.loss and not method.compares_pixels:
        raise ValueError(f"'{stage.method}' has no use for a loss 'pixel'")


def check_window(run, scale):
    """Whether what VGG16 looks at fits into a patch; latents are of the input's size."""
    side = run.patch if run.autoencoder else run.patch * scale
    seen = any(s.loss.perceptual or s.method == "trajectory matching" for s in run.stages)
    if seen and not VGG16.smallest <= run.perceptual_crop <= side:
        raise ValueError(
            f"perceptual_crop is {run.perceptual_crop}, and not from {VGG16.smallest} to {side}"
        )


def choose(what, names, known):
    """Refuses names that are not among the known ones."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"unknown {what}: {', '.join(unknown)}")
