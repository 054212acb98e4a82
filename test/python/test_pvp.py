"""PVP: deep prompts and the two stages."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

DeepPrompt = PYTHON["pvp"]["DeepPrompt"]
pretrain_peft = PYTHON["pvp"]["pretrain_peft"]
save_peft = PYTHON["pvp"]["save_peft"]
load_peft = PYTHON["pvp"]["load_peft"]


class Model(nn.Module):
    def __init__(self, num_prompts: int = 4, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True) for _ in range(3)
        )
        self.prompts = DeepPrompt(3, num_prompts, 8)
        self.head = nn.Linear(8, 5)
        self.lengths: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.lengths.clear()
        for index, block in enumerate(self.blocks):
            x = self.prompts(x, index)
            self.lengths.append(x.shape[1])
            x = block(x)
        return self.head(self.prompts.strip(x)[:, 0])


def loader() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(3)
    return [(torch.randn(6, 7, 8, generator=generator), torch.arange(6) % 5) for _ in range(4)]


def test_every_block_sees_its_own_prompts() -> None:
    model = Model()
    model(torch.randn(2, 7, 8))
    assert model.lengths == [1 + 4 + 6] * 3
    x = torch.randn(2, 7, 8)
    longer = model.prompts(x, 0)
    assert torch.equal(longer[:, 0], x[:, 0]) and torch.equal(longer[:, 5:], x[:, 1:])
    assert torch.equal(longer[1, 1:5], model.prompts.prompts[0])
    later = model.prompts(longer, 2)
    assert torch.equal(later[0, 1:5], model.prompts.prompts[2])
    assert torch.equal(model.prompts.strip(later), x)
    assert sum(part.numel() for part in model.prompts.parameters()) == 3 * 4 * 8


def test_first_stage_leaves_the_backbone() -> None:
    model = Model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    parts = [*model.prompts.parameters(), *model.head.parameters()]
    first = pretrain_peft(model, parts, loader(), lr=1e-2)
    for _ in range(20):
        last = pretrain_peft(model, parts, loader(), lr=1e-2)
    assert last < first
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("blocks."), name
    assert all(part.requires_grad for part in model.parameters())
    assert all(part.grad is None for part in model.blocks.parameters())


def test_second_stage_starts_from_the_first_with_a_fresh_head() -> None:
    model, state = Model(), save_peft(Model(seed=1))
    assert set(state) == {"prompts.prompts"}
    head = model.head.weight.clone()
    load_peft(model, state)
    assert torch.equal(model.prompts.prompts, state["prompts.prompts"])
    assert not torch.equal(model.head.weight, head)
    kept = model.head.weight.clone()
    load_peft(model, state, reset_head=False)
    assert torch.equal(model.head.weight, kept)
    assert model.prompts.prompts.requires_grad


def test_prompts_of_another_number_start_from_the_mean() -> None:
    state = save_peft(Model(num_prompts=4))
    model = Model(num_prompts=6)
    load_peft(model, state)
    expected = state["prompts.prompts"].mean(1, keepdim=True).expand(3, 6, 8)
    assert torch.equal(model.prompts.prompts, expected)
    with pytest.raises(ValueError, match=r"state has .* of shape"):
        load_peft(model, state, resize="error")


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        DeepPrompt(0, 4, 8)
    with pytest.raises(ValueError, match="names must occur"):
        save_peft(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="state has nothing, which the model has not"):
        load_peft(Model(), {"nothing": torch.zeros(1)})
