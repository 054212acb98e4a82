import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def curriculum_noise_prob(
    step: int, total: int, *, p_start: float = 0.0, p_end: float = 0.5, base: float = 4.0
) -> float:
    """How often a search returns noise at a step: ZeroSearch (Sun et al., 2025, arXiv:2505.04588).

    p = p_start + (base^(step / total) - 1) / (base - 1) * (p_end - p_start), and p_end from `total`
    on; a straight line for base 1.
    """
    if total < 1:
        raise ValueError(f"total must be at least 1, got {total}")
    if base <= 0:
        raise ValueError(f"base must be above 0, got {base}")
    done = min(1.0, max(0.0, step / total))
    share = done if base == 1 else (base**done - 1) / (base - 1)
    return p_start + share * (p_end - p_start)


def normalised_tokens(text: str) -> "list[str]":
    """Words in lower case, without punctuation and articles, for ZeroSearch (arXiv:2505.04588)."""
    plain = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def token_f1(pred: str, gold: str) -> float:
    """The reward of an answer: ZeroSearch (Sun et al., 2025, arXiv:2505.04588).

    2 P R / (P + R), where P and R are the shares of `pred`'s and of `gold`'s words found in the
    other; 0 to 1.
    """
    found, wanted = normalised_tokens(pred), normalised_tokens(gold)
    if not found or not wanted:
        return float(found == wanted)
    matched = sum((Counter(found) & Counter(wanted)).values())
    precision, recall = matched / len(found), matched / len(wanted)
    return 2 * precision * recall / (precision + recall) if matched else 0.0


def parse_action(text: str) -> "tuple[str | None, str]":
    """What a policy asks for: ("search", query), ("answer", answer) or (None, "").

    The first complete pair of tags, as ZeroSearch (Sun et al., 2025, arXiv:2505.04588) reads it.
    """
    found = re.search(r"<(search|answer)>(.*?)</\1>", text, re.DOTALL)
    return (None, "") if found is None else (found.group(1), found.group(2).strip())


def grpo_advantages(rewards: Tensor, group: int, *, eps: float = 1e-6) -> Tensor:
    """(R - mean) / (std + eps) within each run of `group` rollouts of one prompt.

    One of the objectives of ZeroSearch (Sun et al., 2025, arXiv:2505.04588), with 5 rollouts.
    """
    if group < 2 or len(rewards) % group:
        raise ValueError(f"group must be at least 2 and divide {len(rewards)}, got {group}")
    grouped = rewards.view(-1, group)
    centred = grouped - grouped.mean(1, keepdim=True)
    return (centred / (grouped.std(1, keepdim=True) + eps)).view(-1)


def mask_observation_tokens(
    labels: Tensor, spans: "Sequence[Sequence[tuple[int, int]]]", *, ignore: int = -100
) -> Tensor:  # (B, T) -> (B, T)
    """Labels in which retrieved text teaches nothing: ZeroSearch (arXiv:2505.04588).

    `spans` lists, for each sample, (start, end) of what the search has put in (Sun et al., 2025).
    """
    if len(spans) != len(labels):
        raise ValueError(f"spans must be a list for each of {len(labels)} samples: {len(spans)}")
    masked = labels.clone()
    for row, own in zip(masked, spans):
        for start, end in own:
            row[start:end] = ignore
    return masked


class SimulatedSearch:
    """A search engine played by a language model: ZeroSearch (Sun et al., 2025, arXiv:2505.04588).

    For each query u is drawn from U(0, 1): the model is asked for useful documents if u > p and
    for noisy ones otherwise. Set `p` by `curriculum_noise_prob` as training goes on.

    Args:
        llm: gives the text for a prompt.
        p: share of queries answered with noise.
        prompt: text with {kind}, {count} and {query}; the wording is this implementation's.
        documents: how many to ask for.
        generator: draws u.
    """

    def __init__(
        self,
        llm: "Callable[[str], str]",
        p: float = 0.0,
        *,
        prompt: str = "Write {count} {kind} documents about the question.\nQuestion: {query}\n",
        documents: int = 5,
        generator: "torch.Generator | None" = None,
    ) -> None:
        if documents < 1:
            raise ValueError(f"documents must be at least 1, got {documents}")
        self.llm, self.p = llm, p
        self.prompt, self.documents, self.generator = prompt, documents, generator

    def __call__(self, query: str) -> str:
        """The documents for a query."""
        useful = torch.rand((), generator=self.generator).item() > self.p
        kind = "useful" if useful else "noisy"
        return self.llm(self.prompt.format(kind=kind, count=self.documents, query=query))

    def rollout(self, policy: "Callable[[str], str]", question: str, max_turns: int = 5) -> str:
        """The text of an episode: the policy writes, searches are answered, an answer ends it."""
        text = question
        for _ in range(max_turns):
            written = policy(text)
            text += written
            action, content = parse_action(written)
            if action == "answer":
                break
            if action == "search":
                text += f"\n<information>{self(content)}</information>\n"
        return text
