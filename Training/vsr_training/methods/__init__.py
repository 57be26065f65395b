"""Ways to train a one-step network; each turns a batch into named, weighted loss terms."""

from .consistency import Consistency
from .diffusion import Diffusion
from .distillation import Distillation
from .regression import Regression
from .trajectory_matching import TrajectoryMatching

METHODS = {
    "regression": Regression,
    "consistency": Consistency,
    "trajectory matching": TrajectoryMatching,
    "diffusion": Diffusion,
    "distillation": Distillation,
}
