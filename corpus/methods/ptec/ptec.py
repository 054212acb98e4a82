from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PTEC(nn.Module):
    """Labels from a prompt-tuned embedding: PTEC (Buchner et al., 2023, arXiv:2309.12075).

    z = W_s h_last with h = backbone([P; E(x)]): a soft prompt before the embedded tokens of a
    frozen model, and a linear head on its last position, one independent sigmoid for each label.
    Pad on the left, so that the last position is the last real token.

    Args:
        backbone: called with `inputs_embeds` and `attention_mask`; gives hidden states (B, T, d),
            alone, first in a tuple, or as `.last_hidden_state`.
        embedding: the backbone's embedding of tokens.
        n_labels: number of labels.
        prompt_len: learned vectors in front.
    """

    def __init__(
        self,
        backbone: nn.Module,
        embedding: nn.Embedding,
        n_labels: int,
        *,
        prompt_len: int = 100,
    ) -> None:
        if n_labels < 1:
            raise ValueError(f"n_labels must be at least 1, got {n_labels}")
        if prompt_len < 1:
            raise ValueError(f"prompt_len must be at least 1, got {prompt_len}")
        super().__init__()
        self.backbone = backbone.requires_grad_(False)
        self.embedding = embedding.requires_grad_(False)
        width = embedding.embedding_dim
        self.prompt = nn.Parameter(embedding.weight.new_empty(prompt_len, width))
        self.score = nn.Parameter(embedding.weight.new_empty(n_labels, width))  # W_s
        nn.init.normal_(self.prompt, std=0.02)
        nn.init.normal_(self.score, std=0.02)

    @torch.no_grad()
    def init_from(self, ids: "Sequence[int]") -> None:
        """Start the prompt from the embeddings of the label names' tokens, repeated or cut."""
        if len(ids) == 0:
            raise ValueError("ids must name at least one token")
        rows = [ids[index % len(ids)] for index in range(len(self.prompt))]
        self.prompt.copy_(self.embedding.weight[rows])

    def forward(self, input_ids: Tensor, attention_mask: "Tensor | None" = None) -> Tensor:
        # input_ids (B, T) -> (B, n_labels)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        prompt = self.prompt.expand(len(input_ids), -1, -1)
        x = torch.cat([prompt, self.embedding(input_ids)], dim=1)  # (B, p + T, d)
        mask = torch.cat([mask.new_ones(prompt.shape[:2]), mask], dim=1)
        output: Any = self.backbone(inputs_embeds=x, attention_mask=mask)
        if not isinstance(output, Tensor):
            known = hasattr(output, "last_hidden_state")
            output = output.last_hidden_state if known else output[0]
        return F.linear(output[:, -1], self.score)

    def loss(self, logits: Tensor, targets: Tensor, pos_weight: "Tensor | None" = None) -> Tensor:
        """Binary cross-entropy over labels (B, n_labels); `pos_weight` lifts rare ones."""
        return F.binary_cross_entropy_with_logits(
            logits, targets.to(logits.dtype), pos_weight=pos_weight
        )

    def param_groups(
        self, lr_prompt: float = 3e-3, lr_head: float = 1e-5
    ) -> "list[dict[str, Any]]":
        """What the optimiser takes: the prompt and the head with a rate each."""
        return [
            {"params": [self.prompt], "lr": lr_prompt},
            {"params": [self.score], "lr": lr_head},
        ]


class LabelTrie:
    """Lets a language model write only listed labels, each once: PTEC (arXiv:2309.12075).

    For `generate(prefix_allowed_tokens_fn=trie)`. Labels stand one after another, with `sep_id`
    between them and `eos_id` behind the last (Buchner et al., 2023).

    Args:
        labels: the tokens of each label.
        sep_id: token between labels.
        eos_id: token at the end.
        start: length of the text that the labels are written behind.
    """

    def __init__(
        self, labels: "Sequence[Sequence[int]]", sep_id: int, eos_id: int, *, start: int = 0
    ) -> None:
        self.labels = [tuple(label) for label in labels]
        if not self.labels or not all(self.labels):
            raise ValueError("labels must be at least one, each of at least one token")
        if any(sep_id in label or eos_id in label for label in self.labels):
            raise ValueError("labels must hold neither sep_id nor eos_id")
        self.sep_id, self.eos_id, self.start = sep_id, eos_id, start

    def allowed(self, written: "Sequence[int]") -> "list[int]":
        """Tokens that may follow what is written so far."""
        if self.eos_id in written:
            return [self.eos_id]
        parts: list[list[int]] = [[]]
        for token in written:
            if token == self.sep_id:
                parts.append([])
            else:
                parts[-1].append(token)
        *finished, current = [tuple(part) for part in parts]
        left = [label for label in self.labels if label not in finished]
        fitting = [label for label in left if label[: len(current)] == current]
        if not fitting:
            raise ValueError(f"written is no beginning of a label: {list(current)}")
        following = {label[len(current)] for label in fitting if len(label) > len(current)}
        if current in fitting:
            following.add(self.eos_id)
            if len(left) > 1:
                following.add(self.sep_id)
        return sorted(following)

    def __call__(self, batch_id: int, ids: Tensor) -> "list[int]":
        return self.allowed(ids.tolist()[self.start :])
