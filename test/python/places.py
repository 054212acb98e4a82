"""Sizes and inputs for each kind of place a method can go to. A new kind is one more entry."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


class Host(nn.Module):
    """A model of one layer that a method adapts, or of one layer and what comes after it."""

    def __init__(self, layer: nn.Module, after: nn.Module | None = None) -> None:
        super().__init__()
        self.layer = layer
        if after is not None:
            self.after = after

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        return self.after(x) if hasattr(self, "after") else x


class AttentionHost(Host):
    """A model of one self-attention, whose keys and values are as wide as it asks for."""

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layer(x, x[..., : self.layer.kdim], x[..., : self.layer.vdim])[0]
        return output


@dataclass(frozen=True)
class Place:
    """`arguments` are positional, `names` are what expressions may use, `shapes` are of inputs."""

    names: dict[str, Any]
    arguments: tuple[Any, ...]
    shapes: tuple[tuple[int, ...], ...]
    base: Callable[[], nn.Module]
    replaces: bool
    model: type[Host] = Host
    #: inputs are tokens of a vocabulary of this size
    vocabulary: int | None = None

    def host(self, module: nn.Module) -> Host:
        """The adapted model."""
        return self.model(module) if self.replaces else self.model(self.base(), module)

    def plain(self) -> Host:
        """The model before."""
        return self.model(self.base())

    def adapter(self, host: Host) -> nn.Module:
        return host.layer if self.replaces else host.after

    def inputs(self) -> list[Tensor]:
        generator = torch.Generator().manual_seed(1)
        if self.vocabulary is not None:
            tokens = self.vocabulary
            return [torch.randint(tokens, shape, generator=generator) for shape in self.shapes]
        return [torch.randn(shape, generator=generator) for shape in self.shapes]

    def __str__(self) -> str:
        return "-".join(str(value) for value in self.names.values())


def linear(in_features: int, out_features: int, bias: bool = True) -> Place:
    return Place(
        {"in_features": in_features, "out_features": out_features, "bias": int(bias)},
        (in_features, out_features, bias),
        ((5, in_features), (2, 3, in_features), (2, 2, 3, in_features), (1, in_features)),
        lambda: nn.Linear(in_features, out_features, bias),
        replaces=True,
    )


def attention(width: int, heads: int, *, kdim: int | None = None, vdim: int | None = None) -> Place:
    bias = width % 3 > 0
    arguments = (width, heads, 0.0, bias, False, False, kdim, vdim, True)
    return Place(
        {"embed_dim": width, "kdim": kdim or width, "vdim": vdim or width},
        arguments,
        ((2, 3, width), (3, 1, width)),
        lambda: nn.MultiheadAttention(*arguments),
        replaces=True,
        model=AttentionHost,
    )


def conv(
    inputs: int,
    outputs: int,
    kernel: "int | tuple[int, ...]" = 3,
    *,
    groups: int = 1,
    dimensions: int = 2,
    **more: Any,
) -> Place:
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dimensions - 1]
    sides = kernel if isinstance(kernel, tuple) else (kernel,) * dimensions
    options = {"stride": 1, "padding": 0, "dilation": 1, "bias": True, "padding_mode": "zeros"}
    options |= more
    stride, padding, dilation, bias, mode = options.values()
    arguments = (inputs, outputs, kernel, stride, padding, dilation, groups, bias, mode)
    return Place(
        {
            "in_channels": inputs,
            "out_channels": outputs,
            "kernel_size": max(sides),
            "taps": math.prod(sides),
            "groups": groups,
            "bias": int(bias),
        },
        arguments,
        ((2, inputs, *(9, 8, 7)[:dimensions]), (1, inputs, *(7,) * dimensions)),
        lambda: layer(*arguments),
        replaces=True,
    )


def embedding(count: int, width: int, padding: int | None = None) -> Place:
    return Place(
        {"num_embeddings": count, "embedding_dim": width},
        (count, width, padding),
        ((2, 7), (1, 3), (4, 2, 2)),
        lambda: nn.Embedding(count, width, padding),
        replaces=True,
        vocabulary=count,
    )


def block_output(width: int) -> Place:
    return Place(
        {"width": width},
        (width,),
        ((5, width), (2, 3, width), (2, 2, 3, width), (1, width)),
        lambda: nn.Linear(width, width),
        replaces=False,
    )


def skip(channels: int) -> Place:
    return Place(
        {"channels": channels},
        (channels,),
        ((2, channels, 4, 6), (1, channels, 3, 3)),
        lambda: nn.Conv2d(channels, channels, 1),
        replaces=False,
    )


def block_stack(width: int) -> Place:
    return Place(
        {"width": width},
        (width,),
        ((2, 3, width), (1, 7, width)),
        lambda: nn.Linear(width, width),
        replaces=False,
    )


LINEAR_SIZES = [(64, 64), (64, 192), (192, 64), (128, 128), (128, 256), (256, 128)]
ODD_SIZES = [(33, 17), (100, 72), (8, 1), (80, 96), (64, 80), (80, 64)]
FUSED_SIZES = [(16, 48), (24, 72), (32, 96), (40, 120)]  # query, key and value in one
PLACES: dict[str, list[Place]] = {
    "linear": [
        *(linear(*size, bias=bias) for size in LINEAR_SIZES for bias in (True, False)),
        *(linear(*size) for size in (*ODD_SIZES, *FUSED_SIZES)),
    ],
    "attention": [
        *(attention(*size) for size in ((64, 4), (16, 1), (24, 2), (48, 3), (32, 4), (17, 1))),
        attention(64, 4, kdim=32),
        attention(48, 4, kdim=32, vdim=24),
        attention(64, 2, vdim=16),
        attention(4, 2),
    ],
    "conv": [
        conv(16, 32),
        conv(16, 24, padding=1, stride=2, bias=False),
        conv(32, 16, 1),
        conv(12, 40, 5, padding=2, padding_mode="reflect"),
        conv(16, 16, padding="same", dilation=2),
        conv(16, 32, groups=4, padding=1),
        conv(32, 64, groups=2, padding=1, stride=2),
        conv(24, 24, groups=24, padding=1),
        conv(3, 64, 7, stride=2, padding=3, padding_mode="circular", bias=False),
        conv(4, 3, 1),
        conv(8, 160, (1, 5), padding=(0, 2)),
    ],
    "conv1d": [
        conv(16, 32, dimensions=1),
        conv(80, 32, padding=1, stride=2, dimensions=1),
        conv(32, 16, 1, bias=False, dimensions=1),
        conv(16, 160, 5, padding=2, padding_mode="replicate", dimensions=1),
        conv(16, 16, padding="same", dilation=2, dimensions=1),
        conv(32, 32, 3, groups=4, padding=1, dimensions=1),
        conv(24, 24, groups=24, padding=1, dimensions=1),
        conv(1, 64, 5, stride=2, bias=False, dimensions=1),
    ],
    "conv3d": [
        conv(8, 16, dimensions=3),
        conv(8, 24, padding=1, stride=(1, 2, 2), dimensions=3),
        conv(16, 32, 1, bias=False, dimensions=3),
        conv(16, 160, (3, 1, 1), padding=(1, 0, 0), dimensions=3),
        conv(16, 24, (1, 3, 3), padding=(0, 1, 1), padding_mode="circular", dimensions=3),
        conv(16, 16, padding="same", dilation=2, dimensions=3),
        conv(16, 32, groups=4, padding=1, dimensions=3),
        conv(3, 16, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False, dimensions=3),
    ],
    "embedding": [
        *(embedding(*size) for size in ((50, 16), (9, 64), (100, 24), (512, 48), (33, 17), (3, 8))),
        embedding(50, 32, padding=0),
        embedding(64, 16, padding=-1),
    ],
    "block-output": [block_output(width) for width in (16, 32, 48, 64, 96, 128, 256, 33, 1)],
    "block-input": [block_output(width) for width in (16, 32, 48, 64, 96, 128, 256, 33, 1)],
    "skip": [skip(channels) for channels in (8, 16, 32, 48, 64, 96, 30, 1)],
    "block-stack": [block_stack(width) for width in (1, 8, 16, 33, 48, 64)],
}
# at these places a method is a function or a class that a test of its own covers
ELSEWHERE = {"beside", "generation-step", "training-step", "loss", "peft-config", "free", "model"}
# these read the whole sequence (..., tokens, width), so they need at least three dimensions
SEQUENCE_READERS = {
    "QueryAdapter",
    "TransformerBottleneckAdapter",
    "MixtureOfModalityAdapter",
}
