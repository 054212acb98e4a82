"""P-tuning: the prompt of PEFT's encoder, before the tokens and gone after the stack."""

import torch
from corpus import PYTHON
from test_oracle import read, state_of, tensor

PTuningPrompt = PYTHON["p-tuning"]["PTuningPrompt"]


def test_agrees_with_the_encoder_of_peft() -> None:
    numbers = read("p-tuning-peft")
    state = state_of(numbers)
    prompt = PTuningPrompt(16, tokens=5, hidden=8)
    loaded = {"table": state["embedding.weight"]}
    for index in (1, 2, 3):
        for part in ("weight", "bias"):
            loaded[f"{part}{index}"] = state[f"mlp_head.{2 * index - 2}.{part}"]
    prompt.load_state_dict(loaded)
    expected = tensor(numbers["y"])
    rows = prompt.prompt()[tensor(numbers["x"]).long()]
    torch.testing.assert_close(rows.reshape(expected.shape), expected, rtol=0, atol=1e-5)
    assert sum(part.numel() for part in prompt.parameters()) == numbers["n_trainable"]


def test_strip_drops_the_prompt() -> None:
    prompt = PTuningPrompt(8, tokens=3)
    x = torch.randn(2, 5, 8)
    y = prompt(x)
    assert y.shape == (2, 8, 8)
    assert torch.equal(y[0, :3], y[1, :3])
    assert torch.equal(prompt.strip(y), x)
