"""python -m vsr_training pack | degrade | train | plot | export | evaluate."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError

from . import configuration, export, plot
from .data import build, images
from .data.reference import REFERENCES
from .data.settings import SETTINGS
from .evaluation import report, sources, upscalers
from .evaluation.cache import digest
from .evaluation.evaluation import Evaluation
from .evaluation.measures import Instruments
from .evaluation.niqe import NIQE
from .perceptual import VGG16
from .spaces import space
from .trainer import Trainer
from .validation import Validation

# Pictures of every set, frames of every clip, still clips.
WHOLE, QUICK = (None, 12, 4), (2, 4, 1)
SCALES = [2, 4]
# What a user may cause: by files that are missing or hold other things, settings, other programs.
MISTAKES = (OSError, ValueError, subprocess.SubprocessError, SafetensorError, UnpicklingError)
# Lies beside the repository.
SHARED = Path(__file__).parents[3] / "shared"
VGG = SHARED / "weights/vgg16_features_bgr_fp16.safetensors"


def main(words=None):
    arguments = command_line().parse_args(words)
    torch.set_num_threads(arguments.threads)
    try:
        arguments.run(arguments)
    except MISTAKES as mistake:
        sys.exit(f"vsr_training: {mistake}")


def command_line():
    parser = argparse.ArgumentParser(prog="python -m vsr_training", description=__doc__)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    commands = parser.add_subparsers(required=True)
    add_pack(commands.add_parser("pack", help="write the ground truth of a folder into packs"))
    add_degrade(commands.add_parser("degrade", help="write a pack of low resolution"))
    add_train(commands.add_parser("train", help="train, or go on from the last checkpoint"))
    add_plot(commands.add_parser("plot", help="draw a run's log as RUN/log.svg"))
    add_export(commands.add_parser("export", help="write a checkpoint's average as safetensors"))
    add_evaluate(commands.add_parser("evaluate", help="measure models beside filters and peers"))
    return parser


def positive(text):
    """A number of things, at least one."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def add_pack(parser):
    parser.add_argument("folder")
    parser.add_argument("--packs", required=True)
    parser.set_defaults(run=lambda a: build.ground_truth(a.folder, Path(a.packs)))


def add_degrade(parser):
    parser.add_argument("setting", choices=[*SETTINGS, "video"])
    parser.add_argument("--packs", required=True)
    parser.add_argument("--scale", type=int, choices=SCALES, default=4)
    parser.add_argument("--passes", type=positive, default=8, help="versions of every picture")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(
        run=lambda a: build.low_resolution(a.packs, a.setting, a.scale, a.passes, a.seed)
    )


def add_run_options(parser):
    parser.add_argument("--config", required=True)
    parser.add_argument("--folder", required=True, help="where checkpoints and the log lie")


def add_train(parser):
    add_run_options(parser)
    parser.add_argument("--packs", required=True)
    parser.add_argument("--vgg", default=VGG)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--until", type=int, help="stop at this iteration")
    parser.add_argument(
        "--no-bf16",
        dest="bf16",
        action="store_false",
        help="compute in float32: faster where a processor has bfloat16 but no AMX",
    )
    parser.set_defaults(run=train)


def train(arguments):
    if torch.device(arguments.device).type == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no CUDA device")
    run = configuration.read(arguments.config)
    vgg = VGG16(arguments.vgg).to(arguments.device)
    trainer = Trainer(
        run, arguments.packs, vgg, arguments.folder, arguments.device, bf16=arguments.bf16
    )
    held_out = Path(arguments.packs) / "held-out"
    trainer.validation = validation = Validation(held_out, trainer.network.scale, vgg)
    if (trainer.folder / "checkpoint.pt").exists():
        trainer.resume()
    else:
        trainer.log("bicubic", **validation.bicubic)
    signal.signal(signal.SIGTERM, trainer.stop)
    signal.signal(signal.SIGINT, trainer.stop)
    trainer.train(arguments.until)


def add_plot(parser):
    parser.add_argument("folder", metavar="RUN")
    parser.set_defaults(run=lambda a: print(plot.write(a.folder)))


def add_export(parser):
    add_run_options(parser)
    parser.add_argument("output", help="the safetensors file to write")
    parser.add_argument("--checkpoint", default="best.pt")
    parser.add_argument(
        "--towards",
        nargs=2,
        metavar=("FILE", "SHARE"),
        help="move the weights by this share of the way to a file's",
    )
    parser.add_argument("--example", help="a picture to reduce and enlarge into io.safetensors")
    parser.set_defaults(run=exported)


def exported(arguments):
    run = configuration.read(arguments.config)
    network, facts = export.from_checkpoint(run, Path(arguments.folder) / arguments.checkpoint)
    if arguments.towards:
        path, share = arguments.towards
        export.move_towards(network, path, float(share))
        facts["method"] += f", then {share} of the way back to {Path(path).parent.name}"
    export.save(network, arguments.output, **facts)
    if arguments.example:
        small = REFERENCES["mild"](images.read(arguments.example), network.scale)
        path = Path(arguments.output).parent / "io.safetensors"
        export.save_example(network, small, path, space(run.autoencoder))


def add_evaluate(parser):
    parser.add_argument("models", nargs="*", help="safetensors files")
    parser.add_argument("--testsets", default=SHARED / "data/testsets")
    parser.add_argument("--sets", nargs="+", choices=sources.FOLDERS, default=sources.FOLDERS)
    parser.add_argument("--clips", default=SHARED / "data/video", help="a folder of clips")
    parser.add_argument("--peers", default=SHARED / "peers/ncnn", help="a folder of ncnn models")
    parser.add_argument("--count", type=positive, help="only the first pictures of every set")
    parser.add_argument("--frames", type=positive, help="of every clip, from its start: 12")
    parser.add_argument(
        "--quick", action="store_true", help="2 pictures per set, 4 frames, unless told otherwise"
    )
    parser.add_argument("--scale", type=int, choices=SCALES, default=4)
    parser.add_argument("--vgg", default=VGG)
    parser.add_argument("--niqe", default=SHARED / "weights/niqe/niqe_pris_params.npz")
    parser.add_argument("--cache", default="cache", help="where measurements are kept")
    parser.add_argument("--report", required=True, help="the folder to write")
    parser.set_defaults(run=evaluate)


def evaluate(arguments):
    scale, vgg, niqe = arguments.scale, arguments.vgg, arguments.niqe
    chosen = upscalers.filters(scale) + [upscalers.model(p, scale) for p in arguments.models]
    chosen += upscalers.peers(arguments.peers, scale, arguments.threads)
    instruments = Instruments(VGG16(vgg), NIQE(niqe), scale, digest(vgg, niqe))
    evaluation = Evaluation(chosen, measured(arguments), scale, instruments, arguments.cache)
    evaluation.run()
    report.write(evaluation, Path(arguments.report))


def measured(arguments):
    """The chosen pictures and clips; still clips are of a set's pictures."""
    count, frames, still_count = QUICK if arguments.quick else WHOLE
    count, frames = arguments.count or count, arguments.frames or frames
    scale, testsets = arguments.scale, arguments.testsets
    chosen = sources.all_pictures(testsets, arguments.sets, scale, count)
    chosen += sources.clips(arguments.clips, scale, frames)
    if sources.STILL_SET in arguments.sets:
        chosen += sources.still_clips(testsets, scale, still_count)
    return chosen


if __name__ == "__main__":
    main()
