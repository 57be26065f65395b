"""The path from ground truth to what inference starts from (CTMSR).

    x_t = x0 + a(t) (Y - x0) + s(t) noise,  a(t) = s(t) = t

with x0 the ground truth, Y the bicubic enlargement of the input; t = 0 is clean, t = 1 the start.
"""

import math

import torch


def grid(point_count):
    """The uniform schedule, rho = 1: t_i = i / (N - 1)."""
    return torch.linspace(0, 1, point_count)


def point_count(iteration, total, first, last):
    """Grid points at an iteration: intervals go from `first` to `last` in equal shares of time."""
    step = 1 if last >= first else -1
    share = total // (abs(last - first) + 1)
    moved = min(iteration // max(share, 1), abs(last - first))
    return first + step * moved + 1


def point(x0, bicubic, noise, t):
    return x0 + t * (bicubic - x0 + noise)


def preconditioning(sigma, sigma_data=0.5):
    """c_skip and c_out of f = c_skip x + c_out F, with q = sigma / 0.1: f is x itself at 0."""
    q = sigma / 0.1
    c_skip = sigma_data**2 / (q**2 + sigma_data**2)
    c_out = q / (q**2 + sigma_data**2) ** 0.5
    return c_skip, c_out


def c_noise(sigma):
    return torch.log(sigma + 0.002) / 4


def frequencies(count, longest):
    """longest^(-k / (count - 1)) for k = 0 … count - 1."""
    return torch.exp(-math.log(longest) * torch.arange(count) / (count - 1))
