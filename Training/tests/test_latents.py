"""TAD-SR in the latents of an autoencoder, at a tiny size."""

import copy

import pytest
import torch
import torch.nn.functional as F

from conftest import stage
from vsr_training import export
from vsr_training.configuration import parsed
from vsr_training.inference import one_step, start
from vsr_training.methods import METHODS
from vsr_training.methods.batch import Batch, gaussian
from vsr_training.networks import vqgan
from vsr_training.networks.discriminator import Discriminator
from vsr_training.networks.latent_unet import LatentUNet
from vsr_training.networks.resshift_unet import ResShiftUNet
from vsr_training.networks.tadsr import TADSR
from vsr_training.resshift import ResShift
from vsr_training.spaces import Latents
from vsr_training.trainer import Trainer

SIZES = {"channels": 32, "blocks": 1, "swin_width": 32, "swin_heads": 1}
STEPS = 3
DIFFUSION = stage("diffusion", 16, rate=3e-3, options={"steps": STEPS}, loss={"pixel": 1.0})
DISTILLATION = stage(
    "distillation",
    8,
    rate=3e-4,
    final_rate=1e-4,
    options={"steps": STEPS, "hsd": 1.0},
    loss={},
)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    """A file as the authors' are: weights under another key."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("autoencoder") / "autoencoder.pth"
    network = vqgan.VQGAN(channels=32, blocks=1, codes=64)
    torch.save({"state_dict": {f"module.{n}": w for n, w in network.state_dict().items()}}, path)
    return path


@pytest.fixture
def training(packs, vgg, autoencoder, tmp_path):
    run = parsed(
        {
            "network": {"kind": "tadsr", "steps": STEPS, **SIZES},
            "mixture": {"clean": 1.0},
            "batch": 1,
            "patch": 64,
            "ema": 0.8,
            "autoencoder": str(autoencoder),
            "stage": [DIFFUSION, DISTILLATION],
        }
    )
    # In bf16 it depends on the processor's rounding whether so few iterations lead anywhere.
    return Trainer(run, packs, vgg, tmp_path, compiled=False, bf16=False)


@torch.no_grad()
def test_one_step_is_tadsrs(autoencoder):
    unet, space = LatentUNet(**SIZES).eval(), Latents(vqgan.load(autoencoder))
    plain = ResShiftUNet(**SIZES)
    plain.load_state_dict(unet.state_dict())
    torch.manual_seed(2)
    lr, picture = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 256, 256)
    noise = torch.randn(1, 3, 64, 64)
    expected = TADSR(plain, space.autoencoder).eval().latent(picture, lr, noise)
    z_y = space.encode(picture)
    latent = unet(z_y + space.deviation * noise, torch.full((1,), space.deviation), lr)
    assert torch.allclose(latent, expected, atol=1e-5)
    assert one_step(unet, lr, z_y, noise, space).shape == picture.shape


def test_every_step_of_the_schedule_is_told_from_its_noise():
    network = LatentUNet(**SIZES)
    assert network.time(network.levels).tolist() == list(range(15))


def test_a_network_may_have_another_schedule(tmp_path):
    network = LatentUNet(**SIZES, steps=4, first=0.1)
    assert network.levels[0] == pytest.approx(0.1 * network.kappa)
    export.save(network, tmp_path / "model.safetensors")
    assert export.load(tmp_path / "model.safetensors").sizes == network.sizes


@pytest.mark.parametrize("method", ["diffusion", "distillation"])
def test_stages_count_the_steps_that_their_network_counts(method):
    network = LatentUNet(**SIZES, steps=4, first=0.1)
    METHODS[method](network, None, 1, steps=4, first=0.1)
    with pytest.raises(ValueError, match="steps 15 and first 0.1, its network 4 and 0.1"):
        METHODS[method](network, None, 1, first=0.1)


@torch.no_grad()
def test_the_released_code_draws_and_scales_otherwise():
    network, generator = LatentUNet(**SIZES).eval(), torch.Generator().manual_seed(0)
    plain, released = (
        METHODS["distillation"](network, None, 1, as_released=quirks) for quirks in (False, True)
    )
    for method in (plain, released):
        method.begin(network)
    batch = Batch(*torch.randn(3, 2, 3, 64, 64, generator=generator))
    assert plain.noise(batch, generator).min() < -1
    uniform = released.noise(batch, generator)
    assert 0 <= uniform.min() and 0.9 < uniform.max() < 1

    t, eta = torch.tensor([0, 2]), ResShift().eta[[0, 2]].reshape(2, 1, 1, 1)
    z = batch.truth + eta * (batch.bicubic - batch.truth) + 2 * eta.sqrt() * uniform
    for method, power in ((plain, 0.5), (released, 1)):
        x0 = ResShiftUNet.forward(network, z / (4 * eta + 1) ** power, t.float(), batch.lr)
        expected = (z - x0 - eta * (batch.bicubic - x0)) / (2 * eta.sqrt())
        answer = method.answer(batch.truth, uniform, t, batch)
        assert torch.allclose(answer, expected, atol=1e-3)


def test_discriminator_has_the_published_size():
    with torch.device("meta"):
        discriminator = Discriminator(LatentUNet().feature_channels)
    assert sum(weight.numel() for weight in discriminator.parameters()) == 20_764_320


@torch.no_grad()
def example(training):
    """A batch of latents, and the last step of the schedule from it."""
    generator = torch.Generator().manual_seed(5)
    pairs = training.pairs.batch(2, generator)
    batch = training.space.encoded(Batch.from_bytes(*pairs))
    diffusion, last = training.methods[0].diffusion, torch.tensor(STEPS - 1)
    z = diffusion.point(batch.truth, batch.bicubic, gaussian(batch.truth, generator), last)
    return batch, z, last


@torch.no_grad()
def error(network, training, wanted=None):
    """The squared distance of one step to the truth or to what is wanted."""
    batch, z, last = example(training)
    prediction = training.methods[0].diffusion.predicted(network, z, last, batch)
    return float(F.mse_loss(prediction, batch.truth if wanted is None else wanted))


@torch.no_grad()
def sampled(teacher, training):
    batch, z, _ = example(training)
    return training.methods[0].diffusion.sampled(teacher, z, batch)


def test_teacher_and_student_learn(training):
    before = error(training.network, training)
    training.train(until=DIFFUSION["iterations"])
    assert error(training.network, training) < 0.9 * before

    teacher = copy.deepcopy(training.ema.network)
    wanted = sampled(teacher, training)
    discriminator = copy.deepcopy(training.methods[1].discriminator)
    untaught = error(teacher, training, wanted)
    training.train()
    assert error(training.network, training, wanted) < untaught
    frozen = training.methods[1].frozen.state_dict().items()
    assert all(torch.equal(weight, teacher.state_dict()[name]) for name, weight in frozen)
    pairs = zip(discriminator.parameters(), training.methods[1].discriminator.parameters())
    assert not all(torch.equal(old, new) for old, new in pairs)
    # The autoencoder is nobody's parameter.
    assert not any(name.startswith("autoencoder") for name in training.network.state_dict())


@torch.no_grad()
def test_export_round_trips(tmp_path):
    network = LatentUNet(**SIZES).eval()
    export.save(network, tmp_path / "model.safetensors")
    loaded = export.load(tmp_path / "model.safetensors")
    z, lr, sigma = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64), torch.full((1,), 1.98)
    assert loaded.sizes == network.sizes
    assert torch.equal(loaded(z, sigma, lr), network(z, sigma, lr))


def test_the_start_is_of_the_latents_size(autoencoder):
    bicubic, noise = start(torch.rand(1, 3, 64, 64), 4, Latents(vqgan.load(autoencoder)))
    assert bicubic.shape == noise.shape == (1, 3, 64, 64)
