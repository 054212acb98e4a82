import torch
from torch import Tensor
from torch.nn import functional as F


def multitask_lm_loss(
    logits: Tensor,  # (B, T, vocabulary)
    labels: Tensor,  # (B, T), -100 where nothing is predicted
    task_ids: Tensor,  # (B,)
    *,
    mode: str = "case3",
    task_weights: "Tensor | None" = None,  # (tasks,)
) -> Tensor:
    """A language-model loss in which no task drowns: MFTCoder (Liu et al., 2023, arXiv:2311.02303).

    `labels[b, t]` is the token that `logits[b, t]` predicts. With l the loss of a token:
    "case1": mean over tokens; "case2": mean over samples of their means over tokens;
    "case3": for each task present the mean over its tokens, averaged by `task_weights`;
    "case4": the same with the mean over its samples of their means over tokens.
    """
    if mode not in ("case1", "case2", "case3", "case4"):
        raise ValueError(f'mode must be "case1", "case2", "case3" or "case4", got "{mode}"')
    losses = F.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100, reduction="none"
    ).view(labels.shape)
    tokens = (labels != -100).sum(1)  # (B,)
    sums = losses.sum(1)  # (B,)
    if not tokens.any():
        raise ValueError("labels must have at least one token that is not -100")
    if mode == "case1":
        return sums.sum() / tokens.sum()
    # a sample without tokens has no mean
    sums, task_ids, tokens = sums[tokens > 0], task_ids[tokens > 0], tokens[tokens > 0]
    if mode == "case2":
        return (sums / tokens).mean()
    total, weights = sums.new_zeros(()), sums.new_zeros(())
    for task in task_ids.unique():
        here = task_ids == task
        by_token = sums[here].sum() / tokens[here].sum()
        loss = by_token if mode == "case3" else (sums[here] / tokens[here]).mean()
        weight = sums.new_ones(()) if task_weights is None else task_weights[task].to(sums)
        total, weights = total + weight * loss, weights + weight
    return total / weights


class CoBaWeights:
    """Task weights from how fast each validation loss falls: CoBa, as released with MFTCoder.

    Over the last losses of each task a line is fitted; tasks that fall slower than others gain
    weight (relative score), tasks that begin to rise lose it (absolute score), and a divergence
    factor moves from the first to the second as the worst task turns (Liu et al., 2023,
    arXiv:2311.02303; arXiv:2410.06741). Weights are uniform until `warmup` updates.

    Args:
        n_tasks: number of tasks K.
        window: updates that the lines are fitted to.
        tau: sharpness of the divergence factor.
        warmup: updates before the first weights.
    """

    def __init__(
        self, n_tasks: int, *, window: int = 200, tau: float = 5.0, warmup: int = 100
    ) -> None:
        if n_tasks < 1:
            raise ValueError(f"n_tasks must be at least 1, got {n_tasks}")
        if window < 2:
            raise ValueError(f"window must be at least 2, got {window}")
        if warmup < 2:
            raise ValueError(f"warmup must be at least 2, got {warmup}")
        self.n_tasks, self.window, self.tau, self.warmup = n_tasks, window, tau, warmup
        self.losses: list[Tensor] = []  # each (K,), over the first losses
        self.slopes: list[Tensor] = []  # each (K,)
        self.worst_slopes: list[Tensor] = []  # each ()
        self.first: Tensor | None = None

    @torch.no_grad()
    def update(self, valid_losses: Tensor) -> Tensor:  # (K,) -> (K,)
        """Note the validation loss of each task; returns the weights for the next step."""
        if valid_losses.shape != (self.n_tasks,):
            raise ValueError(f"valid_losses must have {self.n_tasks} entries")
        seen = valid_losses.detach().cpu().double()
        self.first = seen if self.first is None else self.first
        self.losses.append(seen / self.first)
        self.losses = self.losses[-self.window :]
        self.warmup -= 1
        if self.warmup > 0:
            return torch.full((self.n_tasks,), 1 / self.n_tasks)
        losses = torch.stack(self.losses)  # (n, K)
        self.slopes.append(slope(losses))
        self.worst_slopes.append(slope(losses.max(1, keepdim=True).values)[0])
        self.slopes = self.slopes[-self.window :]
        return self.weights()

    def weights(self) -> Tensor:  # (K,)
        """softmax(K (D R + (1 - D) A)), at least 1 / (10 K) each."""
        K, smallest = self.n_tasks, 1e-12
        history = torch.stack(self.slopes)  # (n, K)
        now, n = history[-1], len(history)
        relative = (K * now / now.abs().sum().clamp_min(smallest)).softmax(0)
        spread = history.abs().sum(0).clamp_min(smallest)
        absolute = (-n * now / spread).softmax(0)
        worst = torch.stack(self.worst_slopes)  # (m,)
        m = len(worst)
        falling = -m * worst / worst.abs().sum().clamp_min(smallest)
        divergence = m * (self.tau * falling).softmax(0)[-1]
        result = (K * (divergence * relative + (1 - divergence) * absolute)).softmax(0)
        floor = 1 / (10 * K)
        if (result < floor).any():
            result = result * (1 - floor * K) + floor
        return result.float()


def slope(values: Tensor) -> Tensor:  # (n, K) -> (K,)
    """Steepness of the line that fits each column best; for MFTCoder (arXiv:2311.02303)."""
    steps = torch.arange(len(values), dtype=values.dtype)
    steps = steps - steps.mean()
    return (steps[:, None] * values).sum(0) / steps.square().sum()
