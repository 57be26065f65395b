"""The loop: batch, loss, step, average; every so often a log line, a measure, a checkpoint."""

import copy
import json
import math
import time
from pathlib import Path
from statistics import fmean

import torch

from .compatibility import check_window
from .data.pairs import Pairs
from .losses import Losses
from .methods import METHODS
from .methods.batch import Batch
from .networks import build
from .spaces import space
from .transplant import transplant
from .weights import fill

LOG_EVERY = 100
VALIDATE_EVERY = 2500
CHECKPOINT_SECONDS = 300


class EMA:
    """Exponential moving average of the weights; this is what is measured and shipped."""

    def __init__(self, network, decay):
        self.network, self.decay = copy.deepcopy(network).eval().requires_grad_(False), decay

    @torch.no_grad()
    def update(self, network, step):
        # While young it forgets fast, so that no trace of the first weights is left.
        decay = min(self.decay, step / (step + 10))
        averages = list(self.network.parameters())
        torch._foreach_lerp_(averages, list(network.parameters()), 1 - decay)


def rate_at(stage, iteration):
    """Linear warm-up, then half a cosine from `rate` to `final_rate`."""
    progress = iteration / stage.iterations
    cosine = (1 + math.cos(math.pi * progress)) / 2
    rate = stage.final_rate + (stage.rate - stage.final_rate) * cosine
    return rate * min(1.0, (iteration + 1) / max(1, stage.warm_up))


def means(steps):
    """Every term's mean over the steps that have it."""
    names = {name: None for step in steps for name in step}
    return {n: round(fmean(step[n] for step in steps if n in step), 5) for n in names}


class Trainer:
    def __init__(
        self, run, packs, vgg, folder, device="cpu", compiled=True, bf16=True, validation=None
    ):
        torch.manual_seed(run.seed)
        self.run, self.vgg, self.folder, self.validation = run, vgg, Path(folder), validation
        self.folder.mkdir(parents=True, exist_ok=True)
        self.generator = torch.Generator().manual_seed(run.seed)
        self.device, self.bf16 = torch.device(device), bf16
        self.network = build(**run.network)
        if run.start:
            transplant(run.start, self.network)
        self.network.to(self.device, memory_format=torch.channels_last)
        check_window(run, self.network.scale)
        self.space = space(run.autoencoder, self.device)
        self.pairs = Pairs(packs, self.network.scale, run.mixture, run.patch)
        self.ema = EMA(self.network, run.ema)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0
        )
        self.compiled = compiled
        if compiled:
            self.network.compile()
        self.methods = [self.method(stage) for stage in run.stages]
        self.iteration, self.seconds, self.best = 0, 0.0, -math.inf
        self.stopping = False

    def method(self, stage):
        run = self.run
        losses = Losses(
            stage.loss, self.vgg, run.perceptual_crop, run.perceptual_count, self.network.scale
        )
        if self.compiled:
            losses.distance = torch.compile(losses.distance)
        return METHODS[stage.method](self.network, losses, stage.iterations, **stage.options)

    def stop(self, *_):
        """Ends `train` after the iteration at hand; fits as a signal's handler."""
        self.stopping = True

    def train(self, until=None):
        """Goes on to the end of the run, or to an iteration before it, and leaves a checkpoint."""
        last = self.run.iterations if until is None else min(until, self.run.iterations)
        saved, recent = time.monotonic(), []
        while self.iteration < last and not self.stopping:
            recent.append(self.step())
            if self.iteration % LOG_EVERY == 0:
                self.log("train", rate=self.rate, **means(recent))
                recent.clear()
            if self.validation and self.is_time_to_validate:
                self.validate()
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.save("checkpoint.pt")
                saved = time.monotonic()
        self.save("checkpoint.pt")

    @property
    def is_time_to_validate(self):
        return self.iteration % VALIDATE_EVERY == 0 or self.iteration == self.run.iterations

    def step(self):
        """One iteration; gives its loss terms. Its time is this thread's, without any pause."""
        began = time.thread_time()
        number, inside = self.run.stage_at(self.iteration)
        self.rate = rate_at(self.run.stages[number], inside)
        if inside == 0:
            self.methods[number].begin(self.ema.network)
        pairs = self.pairs.batch(self.run.batch, self.generator)
        batch = self.space.encoded(Batch.from_bytes(*pairs, device=self.device))
        with torch.autocast(self.device.type, torch.bfloat16, self.bf16):
            terms = self.methods[number](batch, inside, self.generator)
        self.descend(sum(terms.values()))
        self.iteration += 1
        self.ema.update(self.network, self.iteration)
        self.seconds += time.thread_time() - began
        return {name: term.item() for name, term in terms.items()}

    def descend(self, loss):
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.run.clip)
        if not (loss + norm).isfinite():
            raise ValueError(f"no finite loss or gradient at iteration {self.iteration}")
        self.optimizer.step()

    def validate(self):
        results = self.validation(self.ema.network, self.space)
        self.log("validation", **results)
        if results["score"] > self.best:
            self.best = results["score"]
            self.save("best.pt")

    def log(self, kind, **values):
        hours = round(self.seconds / 3600, 4)
        line = {"kind": kind, "iteration": self.iteration, "hours": hours, **values}
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")

    def save(self, name):
        """All that the next iteration depends on; the old file stays until the new one is whole."""
        state = {
            "network": self.network.state_dict(),
            "ema": self.ema.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "iteration": self.iteration,
            "seconds": self.seconds,
            "best": self.best,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
            "methods": [method.state() for method in self.methods],
        }
        torch.save(state, self.folder / f"{name}.new")
        (self.folder / f"{name}.new").rename(self.folder / name)

    def resume(self, name="checkpoint.pt"):
        state = torch.load(self.folder / name, map_location="cpu", weights_only=True)
        for method, saved in zip(self.methods, state["methods"]):
            if saved:
                method.begin(self.ema.network)
                method.load(saved)
        fill(self.network, state["network"], self.folder / name)
        self.ema.network.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["rng"])
        if self.device.type == "cuda":
            # Dropout draws there; older checkpoints lack it.
            torch.cuda.set_rng_state_all(state.get("cuda_rng", []))
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        self.best = state["best"]
