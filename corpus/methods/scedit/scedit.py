import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SCTuner(nn.Module):
    """Tuner of one U-Net skip connection, from SCEdit (Jiang et al., 2023, arXiv:2312.11392).

    O = x + scale * (W_2 GELU(W_1 x + b_1) + b_2) at every position of the skip tensor, just before
    it is concatenated in the decoder. W_2 and b_2 start at zero, so the U-Net starts unchanged;
    nothing trains in the encoder, so the backward pass ends at the decoder.

    Args:
        channels: channels of the skip tensor.
        ratio: inner size as a share of the channels.
        scale: weight of the edit; 0 gives the untuned model.
    """

    def __init__(
        self,
        channels: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        ratio: float = 1.0,
        scale: float = 1.0,
    ) -> None:
        inner = int(channels * ratio)
        if channels < 1:
            raise ValueError(f"channels must be at least 1, got {channels}")
        if inner < 1:
            raise ValueError(f"ratio must leave at least one of {channels} channels, got {ratio}")
        super().__init__()
        self.scale = scale
        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight = nn.Parameter(torch.empty(inner, channels, device=device, dtype=dtype))
        self.down_bias = nn.Parameter(torch.empty(inner, device=device, dtype=dtype))
        self.up_weight = nn.Parameter(torch.zeros(channels, inner, device=device, dtype=dtype))
        self.up_bias = nn.Parameter(torch.zeros(channels, device=device, dtype=dtype))
        nn.init.kaiming_uniform_(self.down_weight, a=math.sqrt(5))
        nn.init.uniform_(self.down_bias, -1 / math.sqrt(channels), 1 / math.sqrt(channels))

    def forward(self, x: Tensor, shortcut: "Tensor | None" = None) -> Tensor:
        # x is (B, C, H, W) or tokens (B, L, C); the edit is added to `shortcut`, else to x
        channels_first = x.dim() >= 4
        tokens = x.movedim(1, -1) if channels_first else x  # (..., C)
        hidden = F.gelu(F.linear(tokens, self.down_weight, self.down_bias))
        edit = F.linear(hidden, self.up_weight, self.up_bias)
        if channels_first:
            edit = edit.movedim(-1, 1)
        return (x if shortcut is None else shortcut) + self.scale * edit


class ZeroConv2d(nn.Module):
    """3 x 3 convolution that starts at zero and is no `nn.Conv2d`, so initialisers skip it."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(
            torch.zeros(out_channels, in_channels, 3, 3, device=device, dtype=dtype)
        )
        self.bias = nn.Parameter(torch.zeros(out_channels, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:  # (B, in, H, W) -> (B, out, H / stride, W / stride)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding=1)


class CSCTuner(nn.Module):
    """Controllable SC-Tuner of SCEdit (Jiang et al., 2023, arXiv:2312.11392): all skips at once.

    A pyramid of convolutions turns the condition image into one hint c_i for each skip x_i; then
    x_i' = x_i + scale * (c_i + W_2 GELU(W_1 (x_i + c_i) + b_1) + b_2). Hints, W_2 and b_2 start at
    zero, so the U-Net starts unchanged. For several conditions, add the `edits` of several tuners.

    Args:
        skip_channels: channels of each skip, in the order of the encoder.
        downsample: for each skip, whether it is half as large as the one before. The condition is
            eight times as large as the first skip, as an image is beside its latent.
        condition_channels: channels of the condition image.
        ratio: inner size of each tuner as a share of the channels.
        scale: weight of the condition; 0 gives the untuned model.
    """

    def __init__(
        self,
        skip_channels: "Sequence[int]",
        downsample: "Sequence[bool]",
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        condition_channels: int = 3,
        ratio: float = 1.0,
        scale: float = 1.0,
    ) -> None:
        if len(skip_channels) != len(downsample):
            raise ValueError(
                f"downsample must have one entry for each of the {len(skip_channels)} skips, "
                f"got {len(downsample)}"
            )
        super().__init__()
        self.scale = scale
        widths = [condition_channels, 16, 16, 32, 32, 96, 96, 256]
        strides = [1, 1, 2, 1, 2, 1, 2]
        self.stem = nn.Sequential()
        for index, stride in enumerate(strides):
            inner, outer = widths[index], widths[index + 1]
            if index > 0:
                self.stem.append(nn.SiLU())
            self.stem.append(
                nn.Conv2d(inner, outer, 3, stride, padding=1, device=device, dtype=dtype)
            )
        channels = [widths[-1], *skip_channels]
        self.hints = nn.ModuleList(
            ZeroConv2d(inner, outer, 2 if halve else 1, device, dtype)
            for inner, outer, halve in zip(channels, skip_channels, downsample)
        )
        self.tuners = nn.ModuleList(
            SCTuner(count, device, dtype, ratio=ratio) for count in skip_channels
        )

    def edits(self, skips: "Sequence[Tensor]", condition: Tensor) -> "list[Tensor]":
        """What this condition adds to each skip, at scale 1."""
        hint = self.stem(condition)
        found: list[Tensor] = []
        for skip, block, tuner in zip(skips, self.hints, self.tuners):
            hint = block(F.silu(hint))  # each block reads the hint before it
            found.append(tuner(skip + hint, shortcut=hint))
        return found

    def forward(self, skips: "Sequence[Tensor]", condition: Tensor) -> "list[Tensor]":
        """The edited skips, in the order given."""
        edits = self.edits(skips, condition)
        return [skip + self.scale * edit for skip, edit in zip(skips, edits)]


def attach_sc_tuners(
    unet: nn.Module,
    skip_channels: "Sequence[int]",  # in the order in which the encoder makes the skips
    *,
    ratio: float = 1.0,
    scale: float = 1.0,
) -> nn.ModuleList:
    """Put an `SCTuner` on every skip of a U-Net whose decoder is `up_blocks` (arXiv:2312.11392).

    For models in the manner of Hugging Face diffusers: each of `unet.up_blocks` has one skip for
    each of its `resnets` and takes them as the keyword `res_hidden_states_tuple`. The tuners are
    kept in `unet.sc_tuners`; call it once, and copy the model before it and not after.
    """
    blocks = list(unet.get_submodule("up_blocks").children())
    counts = [len(list(block.get_submodule("resnets").children())) for block in blocks]
    if sum(counts) != len(skip_channels):
        raise ValueError(f"skip_channels must name {sum(counts)} skips, got {len(skip_channels)}")
    tuners = nn.ModuleList(SCTuner(size, ratio=ratio, scale=scale) for size in skip_channels)
    end = len(tuners)
    for block, count in zip(blocks, counts):
        _tune_skips(block, list(tuners)[end - count : end])
        end -= count
    unet.add_module("sc_tuners", tuners)
    return tuners


def _tune_skips(block: nn.Module, tuners: "list[nn.Module]") -> None:
    """The decoder block reads its skips through the tuners, the last of them first."""
    forward = block.forward

    def tuned(*inputs: Any, res_hidden_states_tuple: "tuple[Tensor, ...]", **options: Any) -> Any:
        pairs = zip(tuners, res_hidden_states_tuple)
        skips = tuple(tuner(skip) for tuner, skip in pairs)
        return forward(*inputs, res_hidden_states_tuple=skips, **options)

    block.forward = tuned
