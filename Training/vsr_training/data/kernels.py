"""Random blur kernels of the Real-ESRGAN degradation, one per picture of a batch."""

import math

import torch

# Kind, probability, whether both axes share one width. Real-ESRGAN's defaults.
KINDS = [
    ("gaussian", 0.45, True),
    ("gaussian", 0.25, False),
    ("generalized", 0.12, True),
    ("generalized", 0.03, False),
    ("plateau", 0.12, True),
    ("plateau", 0.03, False),
]


def uniform(generator, low, high):
    return low + (high - low) * torch.rand((), generator=generator).item()


def below(limit, generator):
    return torch.randint(limit, (), generator=generator).item()


def chance(generator, probability):
    return torch.rand((), generator=generator).item() < probability


def choice(generator, options, weights=None):
    weights = torch.ones(len(options)) if weights is None else torch.tensor(weights)
    return options[torch.multinomial(weights, 1, generator=generator).item()]


def grid(size):
    """The coordinates (x, y) of a square of odd size around its centre."""
    axis = torch.arange(size) - size // 2
    return torch.meshgrid(axis, axis, indexing="xy")


def sinc(size, cutoff):
    """Circular low-pass: k(r) = w J1(w r) / (2 pi r), w²/4pi in the centre."""
    x, y = grid(size)
    radius = torch.sqrt((x**2 + y**2).float())
    kernel = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * math.pi * radius)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * math.pi)
    return kernel / kernel.sum()


def bell(kind, size, sigmas, angle, beta):
    """Gaussian, generalized Gaussian or plateau over the distance d = v' S^-1 v."""
    x, y = grid(size)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    distance = (along / sigmas[0]) ** 2 + (across / sigmas[1]) ** 2
    kernel = 1 / (1 + distance**beta) if kind == "plateau" else torch.exp(-0.5 * distance**beta)
    return kernel / kernel.sum()


def shape_exponent(generator, kind):
    if kind == "gaussian":
        return 1.0
    if kind == "generalized":
        return uniform(generator, *choice(generator, [(0.5, 1.0), (1.0, 4.0)]))
    return uniform(generator, *choice(generator, [(1.0, 1.0), (1.0, 2.0)]))


def random_bell(generator, size, sigma_range):
    kind, _, isotropic = choice(generator, KINDS, [weight for _, weight, _ in KINDS])
    sigma = uniform(generator, *sigma_range)
    sigmas = (sigma, sigma if isotropic else uniform(generator, *sigma_range))
    angle = 0.0 if isotropic else uniform(generator, -math.pi, math.pi)
    return bell(kind, size, sigmas, angle, shape_exponent(generator, kind))


def random_sinc(generator, size, lowest=None):
    lowest = lowest or (math.pi / 3 if size < 13 else math.pi / 5)
    return sinc(size, uniform(generator, lowest, math.pi))


def padded(kernel, size):
    return torch.nn.functional.pad(kernel, [(size - kernel.shape[0]) // 2] * 4)


def random_blurs(generator, count, sizes, sigma_range):
    """A batch of blur kernels, padded to the largest of the sizes; sinc with probability 0.1."""
    kernels = []
    for _ in range(count):
        size = choice(generator, sizes)
        if chance(generator, 0.1):
            kernel = random_sinc(generator, size)
        else:
            kernel = random_bell(generator, size, sigma_range)
        kernels.append(padded(kernel, max(sizes)))
    return torch.stack(kernels)


def random_final_sincs(generator, count, sizes):
    """The last low-pass: a sinc with probability 0.8, else nothing."""
    kernels = []
    for _ in range(count):
        kernel = torch.ones(1, 1)
        if chance(generator, 0.8):
            kernel = random_sinc(generator, choice(generator, sizes), lowest=math.pi / 3)
        kernels.append(padded(kernel, max(sizes)))
    return torch.stack(kernels)
