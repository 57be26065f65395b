"""Window attention over a picture, as CTMSR's and ResShift's networks use it: windows of 8×8."""

import torch
import torch.nn.functional as F
from torch import nn

WINDOW = 8


class WindowAttention(nn.Module):
    """Attention among the 64 positions of a window, with a learned bias per relative position."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        bias_count = (2 * WINDOW - 1) ** 2
        self.relative_position_bias_table = nn.Parameter(torch.empty(bias_count, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", relative_positions())

    def forward(self, tokens, mask=None):
        """`mask`: windows × 64 × 64, added to the scores."""
        # windows × 64 × (q, k, v) × heads × width of a head
        q, k, v = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        bias = bias[None] if mask is None else bias[None] + mask[:, None]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return self.proj(mixed.transpose(1, 2).flatten(2))


def relative_positions():
    """index(i, j) = (r_i - r_j + 7) 15 + (c_i - c_j + 7)"""
    rows, columns = torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    down = rows[:, None] - rows[None] + WINDOW - 1
    right = columns[:, None] - columns[None] + WINDOW - 1
    return down * (2 * WINDOW - 1) + right


def region_mask(height, width, shift):
    """-100 between pixels that only meet because shifted windows go around the edges.

    As in the code that ResShift's weights were trained with: the regions are bands of rows, without
    any of columns, and inside a window rows and columns are exchanged.
    """
    rows = torch.arange(height)
    bands = (rows >= height - WINDOW).int() + (rows >= height - shift).int()
    # A window's token (r, c) takes the band of its row c.
    tokens = bands.reshape(-1, 1, 1, WINDOW).expand(-1, width // WINDOW, WINDOW, -1)
    tokens = tokens.flatten(2).flatten(0, 1)
    return -100.0 * (tokens[:, :, None] != tokens[:, None]).float()


def windows(h):
    """N×C×H×W to one row of 64 tokens per window."""
    h = h.unflatten(3, (-1, WINDOW)).unflatten(2, (-1, WINDOW))
    return h.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)


def unwindowed(tokens, shape):
    count, width, height, length = shape
    tokens = tokens.reshape(count, height // WINDOW, length // WINDOW, WINDOW, WINDOW, width)
    return tokens.permute(0, 5, 1, 3, 2, 4).reshape(shape)


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Conv2d(width, 4 * width, 1)
        self.fc2 = nn.Conv2d(4 * width, width, 1)

    def forward(self, h):
        return self.fc2(F.gelu(self.fc1(h)))


class SwinBlock(nn.Module):
    """Attention, then an MLP, each after a GroupNorm over the whole picture.

    `shift` moves the windows by that many pixels; `built_side` is the side for which the file holds
    a mask, which is made anew for every size.
    """

    def __init__(self, width, heads, shift=0, built_side=64):
        super().__init__()
        self.shift = shift
        self.norm1 = nn.GroupNorm(32, width)
        self.attn = WindowAttention(width, heads)
        self.norm2 = nn.GroupNorm(32, width)
        self.mlp = MLP(width)
        if shift:
            self.register_buffer("attn_mask", region_mask(built_side, built_side, shift))

    def forward(self, h):
        h = h + self.mixed(self.norm1(h))
        return h + self.mlp(self.norm2(h))

    def mixed(self, h):
        if self.shift == 0:
            return unwindowed(self.attn(windows(h)), h.shape)
        moved = h.roll((-self.shift, -self.shift), (2, 3))
        mask = region_mask(*h.shape[2:], self.shift).to(h).repeat(len(h), 1, 1)
        tokens = self.attn(windows(moved), mask)
        return unwindowed(tokens, h.shape).roll((self.shift, self.shift), (2, 3))


class Projection(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, 1)

    def forward(self, h):
        return self.proj(h)


class SwinLayer(nn.Module):
    """One block between two 1×1 projections and a 3×3 convolution, around a skip."""

    def __init__(self, channels, width, heads):
        super().__init__()
        self.patch_embed = Projection(channels, width)
        self.blocks = nn.ModuleList([SwinBlock(width, heads)])
        self.patch_unembed = Projection(width, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, h):
        return h + self.conv(self.patch_unembed(self.blocks[0](self.patch_embed(h))))
