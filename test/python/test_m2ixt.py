"""M2IXT: examples as a prefix."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

InContextPrefix = PYTHON["m2ixt"]["InContextPrefix"]
prepend_context = PYTHON["m2ixt"]["prepend_context"]


def module() -> nn.Module:
    torch.manual_seed(0)
    return InContextPrefix(16, 12, 3, n_layers=1, n_heads=4)


def examples(shots: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    sizes = ((9, 12), (4, 16), (2, 16))
    images, instruction, target = (torch.randn(2, shots, *size) for size in sizes)
    return images, instruction, target


@pytest.mark.parametrize("shots", [1, 2, 5])
def test_length_is_that_of_all_examples(shots: int) -> None:
    assert module()(*examples(shots)).shape == (2, shots * (3 + 4 + 2), 16)


def test_size() -> None:
    width, layers = 64, 2
    made = InContextPrefix(width, 32, 5, n_layers=layers)
    layer = 12 * width**2 + 13 * width
    expected = 32 * width + width + (5 + 3) * width + layers * layer
    assert sum(part.numel() for part in made.parameters()) == expected


def test_examples_stand_alone_and_order_follows() -> None:
    made, (images, instruction, target) = module(), examples()
    prefix = made(images, instruction, target)
    first = made(images[:, :1], instruction[:, :1], target[:, :1])
    torch.testing.assert_close(prefix[:, :9], first)
    swapped = made(images.flip(0), instruction.flip(0), target.flip(0))
    torch.testing.assert_close(swapped, prefix.flip(0))
    assert not torch.allclose(made(images, instruction, target + 1), prefix)


def attend(x: Tensor, mask: Tensor) -> Tensor:
    scores = (x @ x.transpose(1, 2)).masked_fill(mask[:, None] == 0, float("-inf"))
    return scores.softmax(-1) @ x


def test_a_masked_prefix_leaves_the_query_alone() -> None:
    x, mask = torch.randn(2, 5, 16), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    prefix = module()(*examples())
    longer, longer_mask = prepend_context(x, mask, prefix)
    assert longer.shape == (2, 18 + 5, 16)
    assert torch.equal(longer[:, 18:], x) and torch.equal(longer[:, :18], prefix)
    assert torch.equal(longer_mask[:, 18:], mask) and longer_mask[:, :18].all()
    assert not torch.allclose(attend(longer, longer_mask)[:, 18:], attend(x, mask))
    longer_mask[:, :18] = 0
    torch.testing.assert_close(attend(longer, longer_mask)[:, 18:], attend(x, mask))


def test_without_examples_nothing_changes() -> None:
    x, mask = torch.randn(2, 5, 16), torch.ones(2, 5)
    for prefix in (None, torch.zeros(2, 0, 16)):
        same, same_mask = prepend_context(x, mask, prefix)
        assert same is x and same_mask is mask
    _, made = prepend_context(x, None, torch.zeros(2, 3, 16))
    assert torch.equal(made, torch.ones(2, 8, dtype=torch.long))


def test_only_the_module_trains() -> None:
    made = module()
    frozen = nn.Linear(16, 4).requires_grad_(False)
    longer, _ = prepend_context(torch.randn(2, 5, 16), None, made(*examples()))
    F.cross_entropy(frozen(longer.mean(1)), torch.tensor([0, 3])).backward()
    assert frozen.weight.grad is None
    for name, part in made.named_parameters():
        assert part.grad is not None, name
    with pytest.raises(ValueError, match="n_heads must divide d_model 16, got 3"):
        InContextPrefix(16, 12, 3, n_heads=3)
