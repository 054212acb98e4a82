"""Labels that teach the response alone."""

import pytest
import torch
from corpus import PYTHON
from torch.nn import functional as F

instruction_labels = PYTHON["instruction-tuning-survey"]["instruction_labels"]


def test_masks_each_prompt() -> None:
    ids = torch.arange(10).view(2, 5)
    assert instruction_labels(ids, 2)[1].tolist() == [-100, -100, 7, 8, 9]
    found = instruction_labels(ids, torch.tensor([1, 4]), ignore=-1)
    assert found.tolist() == [[-1, 1, 2, 3, 4], [-1, -1, -1, -1, 9]]
    assert ids[0, 0] == 0 and torch.equal(instruction_labels(ids, 0), ids)
    assert instruction_labels(ids[0], 3).tolist() == [-100, -100, -100, 3, 4]


def test_loss_is_that_of_the_response() -> None:
    ids, logits = torch.randint(9, (2, 6)), torch.randn(2, 6, 9, requires_grad=True)
    labels = instruction_labels(ids, torch.tensor([2, 4]))
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    picked = logits.log_softmax(-1).gather(-1, ids[..., None])[..., 0]
    expected = -(picked[0, 2:].sum() + picked[1, 4:].sum()) / 6
    torch.testing.assert_close(loss, expected)
    loss.backward()
    silent = logits.grad.abs().sum(-1) == 0
    assert silent.tolist() == [[True] * 2 + [False] * 4, [True] * 4 + [False] * 2]


def test_refuses_negative_lengths() -> None:
    with pytest.raises(ValueError, match="prompt_len must not be negative, got -1"):
        instruction_labels(torch.zeros(2, 3), torch.tensor([0, -1]))
