"""SCEdit: SC-Tuner on one skip and CSC-Tuner on all."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

SCTuner = PYTHON["scedit"]["SCTuner"]
CSCTuner = PYTHON["scedit"]["CSCTuner"]
STABLE_DIFFUSION = [320] * 4 + [640] * 3 + [1280] * 5


def awake(tuner: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in tuner.parameters():
        nn.init.normal_(parameter, std=0.2)
    return tuner


def test_size_on_the_skips_of_stable_diffusion() -> None:
    tuners = [SCTuner(channels, device="meta") for channels in STABLE_DIFFUSION]
    assert sum(part.numel() for tuner in tuners for part in tuner.parameters()) == 19_680_000


def test_edit_is_linear_in_the_scale() -> None:
    tuner = awake(SCTuner(8))
    x = torch.randn(2, 8, 3, 5)
    edits = []
    for scale in (0.0, 0.5, 1.0):
        tuner.scale = scale
        edits.append(tuner(x) - x)
    assert edits[0].abs().max() == 0
    torch.testing.assert_close(edits[1] * 2, edits[2])
    assert edits[2].abs().max() > 0.1


def test_images_and_tokens_are_read_alike() -> None:
    tuner = awake(SCTuner(8))
    image = torch.randn(2, 8, 3, 5)
    tokens = image.flatten(2).transpose(1, 2)  # (B, H W, C)
    expected = tuner(image).flatten(2).transpose(1, 2)
    torch.testing.assert_close(tuner(tokens), expected)


def test_no_gradient_reaches_the_encoder() -> None:
    encoder = nn.Conv2d(3, 8, 3, padding=1).requires_grad_(False)
    tuner = SCTuner(8)
    skip = encoder(torch.randn(1, 3, 4, 4))
    assert not skip.requires_grad
    tuner(skip).sum().backward()
    assert all(part.grad is None for part in encoder.parameters())
    assert tuner.up_weight.grad.abs().sum() > 0


def skips_and_condition() -> tuple[list[Tensor], Tensor]:
    torch.manual_seed(1)
    skips = [torch.randn(2, 8, 4, 4), torch.randn(2, 8, 2, 2), torch.randn(2, 16, 2, 2)]
    return skips, torch.randn(2, 3, 32, 32)


def test_control_starts_as_the_model_and_learns_from_the_first_hint() -> None:
    skips, condition = skips_and_condition()
    control = CSCTuner([8, 8, 16], [False, True, False])
    edited = control(skips, condition)
    assert all(torch.equal(after, before) for after, before in zip(edited, skips, strict=True))
    sum(skip.square().sum() for skip in control(skips, condition)).backward()
    weights = [block.weight.grad.abs().sum() > 0 for block in control.hints]
    assert weights == [True, False, False]
    assert all(block.bias.grad.abs().sum() > 0 for block in control.hints)


def test_control_edits_every_skip() -> None:
    skips, condition = skips_and_condition()
    control = awake(CSCTuner([8, 8, 16], [False, True, False], scale=0.5))
    edits = control.edits(skips, condition)
    for after, before, edit in zip(control(skips, condition), skips, edits, strict=True):
        assert edit.abs().max() > 0
        torch.testing.assert_close(after, before + 0.5 * edit)


def test_without_hint_and_projection_control_adds_nothing() -> None:
    skips, condition = skips_and_condition()
    control = awake(CSCTuner([8, 8, 16], [False, True, False]))
    for part in (*control.hints.parameters(),):
        nn.init.zeros_(part)
    for tuner in control.tuners:
        nn.init.zeros_(tuner.up_weight)
        nn.init.zeros_(tuner.up_bias)
    assert all(edit.abs().max() == 0 for edit in control.edits(skips, condition))


def test_control_needs_a_flag_for_each_skip() -> None:
    with pytest.raises(ValueError, match="downsample must have one entry for each of the 2 skips"):
        CSCTuner([8, 8], [False])


class UpBlock(nn.Module):
    """A decoder block as diffusers calls it: one skip for each resnet, the last one first."""

    def __init__(self, channels: int, skips: list[int]) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(nn.Conv2d(channels + skip, channels, 1) for skip in skips)

    def forward(self, h: Tensor, res_hidden_states_tuple: tuple[Tensor, ...]) -> Tensor:
        for resnet in self.resnets:
            skip, res_hidden_states_tuple = (
                res_hidden_states_tuple[-1],
                res_hidden_states_tuple[:-1],
            )
            h = resnet(torch.cat([h, skip], dim=1))
        return h


class UNet(nn.Module):
    """Skips of 4, 6 and 8 channels, read by a block of one resnet and one of two."""

    def __init__(self) -> None:
        super().__init__()
        self.up_blocks = nn.ModuleList([UpBlock(8, [8]), UpBlock(8, [6, 4])])

    def forward(self, skips: list[Tensor]) -> Tensor:
        h = torch.ones(1, 8, 3, 3)
        for block in self.up_blocks:
            count = len(block.resnets)
            h = block(h, res_hidden_states_tuple=tuple(skips[-count:]))
            skips = skips[:-count]
        return h


def test_tuners_are_attached_to_every_skip() -> None:
    torch.manual_seed(0)
    unet = UNet()
    skips = [torch.randn(1, channels, 3, 3) for channels in (4, 6, 8)]
    before, state = unet(skips), unet.state_dict()
    tuners = PYTHON["scedit"]["attach_sc_tuners"](unet, [4, 6, 8], ratio=0.5)
    assert unet.sc_tuners is tuners
    torch.testing.assert_close(unet(skips), before)
    assert not unet.load_state_dict(state, strict=False).unexpected_keys
    for tuner in tuners:  # each of them is in the way of the output
        awake(tuner)
        after = unet(skips)
        assert not torch.allclose(after, before)
        before = after


def test_skip_channels_must_match_the_decoder() -> None:
    with pytest.raises(ValueError, match="skip_channels"):
        PYTHON["scedit"]["attach_sc_tuners"](UNet(), [4, 6])
