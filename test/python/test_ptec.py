"""PTEC: all labels from one embedding, or as text that a trie keeps to the list."""

import random

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

PTEC, LabelTrie = PYTHON["ptec"]["PTEC"], PYTHON["ptec"]["LabelTrie"]


class Backbone(nn.Module):
    """Adds up what the mask lets through, position by position."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.layer = nn.Linear(8, 8)

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        self.seen = inputs_embeds, attention_mask
        return (self.layer((inputs_embeds * attention_mask[..., None]).cumsum(1)),)


def classifier(n_labels: int = 5, prompt_len: int = 3) -> nn.Module:
    backbone = Backbone()
    return PTEC(backbone, backbone.embed, n_labels, prompt_len=prompt_len)


def test_reads_the_last_position() -> None:
    module = classifier()
    ids = torch.randint(20, (2, 4))
    logits = module(ids)
    x, mask = module.backbone.seen
    assert x.shape == (2, 7, 8) and mask.tolist() == [[1] * 7] * 2
    assert torch.equal(x[1, :3], module.prompt)
    hidden = module.backbone.layer(x.sum(1))
    torch.testing.assert_close(logits, hidden @ module.score.T)


def test_padding_on_the_left_is_masked() -> None:
    module = classifier()
    short = module(torch.tensor([[5, 6]]))
    padded = module(torch.tensor([[0, 0, 5, 6]]), torch.tensor([[0, 0, 1, 1]]))
    torch.testing.assert_close(padded, short)


def test_trains_prompt_and_head_alone() -> None:
    module = classifier(n_labels=5, prompt_len=3)
    logits = module(torch.randint(20, (2, 4)))
    module.loss(logits, torch.randint(2, (2, 5))).backward()
    trained = {name for name, part in module.named_parameters() if part.requires_grad}
    assert trained == {"prompt", "score"}
    assert all(part.grad is not None for part in (module.prompt, module.score))
    assert module.prompt.numel() + module.score.numel() == 3 * 8 + 5 * 8
    groups = module.param_groups()
    assert [group["lr"] for group in groups] == [3e-3, 1e-5]
    assert [group["params"][0] for group in groups] == [module.prompt, module.score]


def test_the_order_of_labels_does_not_matter() -> None:
    module = classifier()
    ids, targets = torch.randint(20, (3, 4)), torch.randint(2, (3, 5))
    weight, order = torch.rand(5) * 4, torch.tensor([3, 0, 4, 1, 2])
    logits = module(ids)
    loss = module.loss(logits, targets, weight)
    module.score.data = module.score.data[order]
    torch.testing.assert_close(module(ids), logits[:, order])
    torch.testing.assert_close(module.loss(module(ids), targets[:, order], weight[order]), loss)


def test_starts_from_the_names_of_the_labels() -> None:
    module = classifier(prompt_len=5)
    module.init_from([4, 9])
    assert torch.equal(module.prompt, module.embedding.weight[[4, 9, 4, 9, 4]])


SEP, EOS = 90, 91
LABELS = [[1, 2], [1, 3], [1, 2, 4], [5]]


def test_trie_writes_listed_labels_once() -> None:
    trie = LabelTrie(LABELS, SEP, EOS)
    draw = random.Random(0)
    lengths: set[int] = set()
    for _ in range(200):
        written: list[int] = []
        while EOS not in written:
            written.append(draw.choice(trie(0, torch.tensor(written, dtype=torch.long))))
        labels: list[list[int]] = [[]]
        for token in written[:-1]:
            if token == SEP:
                labels.append([])
            else:
                labels[-1].append(token)
        assert all(label in LABELS for label in labels)
        assert len({tuple(label) for label in labels}) == len(labels)
        lengths.add(len(labels))
    assert lengths == {1, 2, 3, 4}


def test_trie_by_hand() -> None:
    trie = LabelTrie(LABELS, SEP, EOS, start=2)
    assert trie(0, torch.tensor([7, 7])) == [1, 5]
    assert trie(0, torch.tensor([7, 7, 1])) == [2, 3]
    assert trie(0, torch.tensor([7, 7, 1, 2])) == [4, SEP, EOS]
    assert trie(0, torch.tensor([7, 7, 1, 2, SEP, 1, 2])) == [4]
    assert trie(0, torch.tensor([7, 7, 5, EOS])) == [EOS]
    with pytest.raises(ValueError, match="written is no beginning of a label"):
        trie.allowed([2])
    with pytest.raises(ValueError, match="labels must hold neither"):
        LabelTrie([[1, SEP]], SEP, EOS)
