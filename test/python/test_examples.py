"""The example project runs and learns."""

import ast
import json
from collections.abc import Callable

import captioner
import gpt
import multitask
import music
import pytest
import reranker
import segmentation
import torch
import translation
import unet
import vit
from corpus import ROOT
from torch import Tensor, nn

EXAMPLES = ROOT / "examples"


def falls(model: nn.Module, loss_of: Callable[[], Tensor]) -> None:
    """The loss of one batch drops by a third or more in a few steps."""
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses: list[float] = []
    for _ in range(20):
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.67 * losses[0], losses


def small_gpt() -> gpt.GPT:
    torch.manual_seed(0)
    return gpt.GPT(gpt.GPTConfig(vocab_size=17, block_size=16, n_layer=2, n_head=4, n_embd=32))


def test_gpt_learns() -> None:
    model = small_gpt()
    text = torch.randint(17, (4, 12))
    falls(model, lambda: model(text[:, :-1], text[:, 1:])[1])


def test_gpt_does_not_see_the_future() -> None:
    model = small_gpt().eval()
    text = torch.randint(17, (1, 12))
    changed = text.clone()
    changed[:, 8:] = (changed[:, 8:] + 1) % 17
    before, after = model(text)[0], model(changed)[0]
    torch.testing.assert_close(before[:, :8], after[:, :8])
    assert not torch.allclose(before[:, 8:], after[:, 8:])


def test_gpt_generates_beyond_its_block() -> None:
    model = small_gpt().eval()
    start = torch.tensor([[1, 2], [3, 4]])
    drawn = model.generate(start, 20, top_k=3)
    assert drawn.shape == (2, 22) and torch.equal(drawn[:, :2], start)
    likeliest = model.generate(start, 1, top_k=1)[:, -1]
    assert torch.equal(likeliest, model(start)[0][:, -1].argmax(-1))


def test_gpt_has_the_size_that_is_known() -> None:
    """GPT-2 small: 124,439,808 with the shared head."""
    model = gpt.GPT(gpt.GPTConfig(n_layer=1))
    block = sum(part.numel() for part in model.blocks.parameters())
    whole = sum(part.numel() for part in model.parameters())
    assert whole + (gpt.GPTConfig().n_layer - 1) * block == 124_439_808


@pytest.mark.parametrize("pre_norm", [True, False])
def test_vit_learns(pre_norm: bool) -> None:
    torch.manual_seed(0)
    model = vit.VisionTransformer(16, 4, 3, classes=5, dim=32, depth=2, heads=4, pre_norm=pre_norm)
    images, labels = torch.randn(8, 3, 16, 16), torch.arange(8) % 5
    assert model(images).shape == (8, 5)
    falls(model, lambda: nn.functional.cross_entropy(model(images), labels))


def test_vit_trains_on_from_its_checkpoint() -> None:
    torch.manual_seed(0)
    checkpoint = vit.VisionTransformer(16, 4, classes=8, dim=64, depth=2, heads=4).state_dict()
    model, losses = vit.fine_tune(torch.randn(8, 3, 16, 16), torch.arange(8), checkpoint)
    assert losses[-1] < losses[0]
    assert set(model.state_dict()) == set(checkpoint)


def test_several_tasks_are_learnt_at_once() -> None:
    torch.manual_seed(0)
    loras = {"blocks.0.attn.c_proj": [(torch.randn(2, 64), torch.zeros(64, 2), 2.0)] * 3}
    losses, seen = multitask.train({}, steps=30)
    assert losses[-1] < 0.8 * losses[0]
    assert seen.sum() == 30 * 12 and seen.min() > 0
    assert multitask.train(loras, steps=2)[0] == losses[:2]  # B is zero
    assert (
        multitask.train({"blocks.0.attn.c_proj": [(torch.ones(2, 64), torch.ones(64, 2), 1.0)]}, 2)[
            0
        ]
        != losses[:2]
    )


@pytest.mark.parametrize(
    "model",
    [unet.UNet(3, (16, 32, 64), time_dim=32), unet.SmallUNet(3, 16, time_dim=32)],
    ids=["UNet", "SmallUNet"],
)
def test_unet_learns(model: nn.Module) -> None:
    torch.manual_seed(0)
    noisy, steps = torch.randn(4, 3, 16, 16), torch.arange(4)
    assert model(noisy, steps).shape == noisy.shape
    assert not torch.allclose(model(noisy, steps), model(noisy, steps + 500))
    falls(model, lambda: (model(noisy, steps) - noisy).square().mean())


def test_translator_learns_and_ignores_padding() -> None:
    torch.manual_seed(0)
    model = translation.Translator(17, d_model=32, n_heads=4, n_layers=2, d_ff=64, max_len=16)
    source, target = torch.randint(1, 17, (4, 6)), torch.randint(1, 17, (4, 9))
    logits = model(source, target)
    assert logits.shape == (4, 9, 17)
    padded = nn.functional.pad(source, (0, 3), value=translation.PAD)
    torch.testing.assert_close(model(padded, target), logits, rtol=1e-4, atol=1e-5)
    changed = torch.cat([target[:, :5], (target[:, 5:] + 1) % 17], dim=1)
    torch.testing.assert_close(model(source, changed)[:, :5], logits[:, :5])
    cross_entropy = nn.functional.cross_entropy
    falls(
        model,
        lambda: cross_entropy(model(source, target)[:, :-1].flatten(0, 1), target[:, 1:].flatten()),
    )


def test_captioner_learns_and_sees_the_image() -> None:
    torch.manual_seed(0)
    model = captioner.Captioner(17, 16, 4, vision_dim=32, text_dim=48, depth=2, heads=4, max_len=64)
    images, text = torch.randn(4, 3, 16, 16), torch.randint(17, (4, 9))
    logits, _ = model(images, text[:, :-1])
    assert logits.shape == (4, 8, 17)
    assert not torch.allclose(model(images.flip(0), text[:, :-1])[0], logits)
    falls(model, lambda: model(images, text[:, :-1], text[:, 1:])[1])
    written = model.caption(images, text[:, :1], 4)
    assert written.shape == (4, 5) and torch.equal(written[:, :1], text[:, :1])


def test_reranker_learns_and_ignores_padding() -> None:
    torch.manual_seed(0)
    model = reranker.ReRanker(17, hidden_size=32, num_layers=2, num_heads=4, max_length=16)
    queries, passages = torch.randint(1, 17, (8, 4)), torch.randint(1, 17, (8, 9))
    scores = model(queries, passages)
    assert scores.shape == (8,)
    padded = nn.functional.pad(passages, (0, 5))
    torch.testing.assert_close(model(queries, padded), scores, rtol=1e-4, atol=1e-5)
    relevant = (torch.arange(8) % 2).float()
    loss = nn.functional.binary_cross_entropy_with_logits
    falls(model, lambda: loss(model(queries, passages), relevant))


def test_music_transformer_learns_and_does_not_see_the_future() -> None:
    torch.manual_seed(0)
    model = music.MusicTransformer(dim=32, n_layers=2, n_heads=4, max_len=16)
    notes = torch.randint(32, (4, 9, 3))
    pitch, duration, velocity = model(notes)
    assert [part.size(-1) for part in (pitch, duration, velocity)] == [128, 64, 32]
    changed = torch.cat([notes[:, :5], (notes[:, 5:] + 1) % 32], dim=1)
    torch.testing.assert_close(model(changed)[0][:, :5], pitch[:, :5])

    def loss() -> Tensor:
        heads = zip(model(notes[:, :-1]), notes[:, 1:].unbind(-1), strict=True)
        each = [nn.functional.cross_entropy(head.flatten(0, 1), to.flatten()) for head, to in heads]
        return torch.stack(each).sum()

    falls(model, loss)


def test_segmentation_learns_at_any_size() -> None:
    torch.manual_seed(0)
    model = segmentation.SegmentationNet(3, classes=5, width=8)
    images, labels = torch.randn(4, 3, 18, 13), torch.randint(5, (4, 18, 13))
    assert model(images).shape == (4, 5, 18, 13)
    labels[:, 4:14, 3:10] = labels[:, :1, :1]  # something to see
    images = images + labels[:, None]
    falls(model, lambda: nn.functional.cross_entropy(model(images), labels))


def test_notebook_runs_cell_by_cell() -> None:
    """Without its magic and its plot, which need Jupyter."""
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert any(cell.startswith("%matplotlib inline\n") for cell in cells)
    names: dict[str, object] = {}
    for cell in cells:
        if "matplotlib.pyplot" not in cell:
            exec(cell.replace("%matplotlib inline\n", ""), names)
    losses = names["losses"]
    assert isinstance(losses, list) and losses[-1] < 0.5 * losses[0]


def test_fine_tuning_script_parses() -> None:
    """Its libraries and its GPU are not here."""
    ast.parse((EXAMPLES / "finetune_peft.py").read_text())
