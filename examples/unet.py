"""A diffusion U-Net that predicts noise: one with decoder blocks, one written out."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def timestep_embedding(steps: Tensor, dim: int) -> Tensor:  # (B,) -> (B, dim)
    """Sines and cosines of the step at geometrically spaced frequencies."""
    half = dim // 2
    rates = torch.exp(torch.arange(half, device=steps.device) * (-math.log(10_000.0) / half))
    angles = steps.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class ResBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, time_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time = nn.Linear(time_dim, out_channels)
        self.norm2 = nn.GroupNorm(8, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time(t)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return self.shortcut(x) + h


class DownBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, time_dim: int) -> None:
        super().__init__()
        self.res = ResBlock(in_channels, out_channels, time_dim)
        self.down = nn.Conv2d(out_channels, out_channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        skip = self.res(x, t)
        return self.down(skip), skip


class UpBlock(nn.Module):
    def __init__(
        self, in_channels: int, skip_channels: int, out_channels: int, time_dim: int
    ) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels, 2, stride=2)
        self.res = ResBlock(in_channels + skip_channels, out_channels, time_dim)

    def forward(self, h: Tensor, skip: Tensor, t: Tensor) -> Tensor:
        h = self.up(h)
        h = torch.cat([h, skip], dim=1)
        return self.res(h, t)


class UNet(nn.Module):
    """Any number of levels, each a DownBlock and an UpBlock."""

    def __init__(
        self, channels: int = 3, widths: tuple[int, ...] = (64, 128, 256), time_dim: int = 256
    ) -> None:
        super().__init__()
        self.time_dim = time_dim
        self.time_mlp = nn.Sequential(
            nn.Linear(time_dim, time_dim), nn.SiLU(), nn.Linear(time_dim, time_dim)
        )
        self.stem = nn.Conv2d(channels, widths[0], 3, padding=1)
        before = (widths[0], *widths[:-1])
        self.downs = nn.ModuleList(
            [DownBlock(i, o, time_dim) for i, o in zip(before, widths, strict=True)]
        )
        self.middle = ResBlock(widths[-1], widths[-1], time_dim)
        self.ups = nn.ModuleList(
            [
                UpBlock(width, width, after, time_dim)
                for width, after in zip(widths[::-1], before[::-1], strict=True)
            ]
        )
        self.head = nn.Conv2d(widths[0], channels, 3, padding=1)

    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        t = self.time_mlp(timestep_embedding(steps, self.time_dim))
        h = self.stem(x)
        skips: list[Tensor] = []
        for down in self.downs:
            h, skip = down(h, t)
            skips.append(skip)
        h = self.middle(h, t)
        for up in self.ups:
            h = up(h, skips.pop(), t)
        return self.head(h)


class SmallUNet(nn.Module):
    """Two levels, written out."""

    def __init__(self, channels: int = 3, width: int = 64, time_dim: int = 128) -> None:
        super().__init__()
        self.time_dim = time_dim
        self.stem = nn.Conv2d(channels, width, 3, padding=1)
        self.down1 = ResBlock(width, width, time_dim)
        self.down2 = ResBlock(width, 2 * width, time_dim)
        self.middle = ResBlock(2 * width, 2 * width, time_dim)
        self.up2 = ResBlock(2 * width + 2 * width, width, time_dim)
        self.up1 = ResBlock(width + width, width, time_dim)
        self.head = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        t = timestep_embedding(steps, self.time_dim)
        skip1 = self.down1(self.stem(x), t)
        skip2 = self.down2(F.avg_pool2d(skip1, 2), t)
        h = self.middle(F.avg_pool2d(skip2, 2), t)
        h = F.interpolate(h, scale_factor=2.0)
        h = self.up2(torch.cat([h, skip2], dim=1), t)
        h = F.interpolate(h, scale_factor=2.0)
        h = self.up1(torch.cat([h, skip1], dim=1), t)
        return self.head(h)
