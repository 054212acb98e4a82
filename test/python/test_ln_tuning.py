"""LayerNorm tuning: norms train, the rest does not."""

import pytest
from corpus import PYTHON
from torch import nn

tune_norms = PYTHON["ln-tuning"]["tune_norms"]


class RMSNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(nn.Linear(4, 1).weight[0].detach())


def test_trains_norms_of_every_kind_and_what_is_named() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), RMSNorm(), nn.Linear(4, 2))
    trained = tune_norms(model, "3")
    names = {name for name, part in model.named_parameters() if part.requires_grad}
    assert names == {"1.weight", "1.bias", "2.scale", "3.weight", "3.bias"}
    assert sum(part.numel() for part in trained) == 8 + 4 + 10


def test_a_model_without_norms_says_so() -> None:
    with pytest.raises(ValueError, match="model has no norms to train"):
        tune_norms(nn.Linear(4, 4))
    with pytest.raises(ValueError, match="also must name modules of the model, got head"):
        tune_norms(nn.LayerNorm(4), "head")
