import random
from collections.abc import Callable, Mapping, Sequence
from statistics import quantiles

QUANTILE_WORDS = (
    *("extremely low", "very low", "low", "slightly low", "medium"),
    *("slightly high", "high", "very high", "extremely high"),
)


def bin_config(
    cfg: "Mapping[str, float]", space: "Mapping[str, tuple[float, float]]", *, n_bins: int = 10
) -> "dict[str, str]":
    """A configuration as words for a language model: LLMTune (Huang et al., 2024).

    Each knob's range (minimum, maximum) is cut into `n_bins` equal parts; part
    k = floor(n (x - min) / (max - min)), at most n - 1, reads "30% to 40%" (arXiv:2404.11581).
    """
    if not 1 <= n_bins <= 100 or 100 % n_bins:
        raise ValueError(f"n_bins must divide 100, got {n_bins}")
    labels: dict[str, str] = {}
    width = 100 // n_bins
    for name, value in cfg.items():
        low, high = space[name]
        if not low <= value <= high:
            raise ValueError(f"cfg must have {name} between {low} and {high}, got {value}")
        # the small addend keeps a value on an edge, such as 0.3, in the bin that starts there
        k = 0 if high == low else int(n_bins * (value - low) / (high - low) + 1e-9)
        k = min(n_bins - 1, k)
        labels[name] = f"{width * k}% to {width * (k + 1)}%"
    return labels


def unbin_config(
    labels: "Mapping[str, str]", space: "Mapping[str, tuple[float, float]]"
) -> "dict[str, float]":
    """The middle of each bin: the way back from `bin_config`, for LLMTune (arXiv:2404.11581).

    At most half a bin off; the released decoder leaves the minimum out, which is added here
    (Huang et al., 2024).
    """
    cfg: dict[str, float] = {}
    for name, label in labels.items():
        try:
            start, end = (float(part.rstrip("%")) / 100 for part in label.split(" to "))
        except ValueError:
            raise ValueError(f'labels must read "30% to 40%", got "{label}" for {name}') from None
        low, high = space[name]
        cfg[name] = low + (high - low) * (start + end) / 2
    return cfg


def fit_quantile_bins(
    best_cfgs: "Sequence[Mapping[str, float]]", *, n_bins: int = 9
) -> "dict[str, list[float]]":
    """Edges of bins that good configurations fill evenly: LLMTune (Huang et al., 2024).

    For each knob the least value, the quantiles and the greatest value over the best configuration
    of each workload (arXiv:2404.11581); equal edges fall together, so a knob can have fewer bins.
    """
    if not 1 <= n_bins <= len(QUANTILE_WORDS):
        raise ValueError(f"n_bins must be between 1 and {len(QUANTILE_WORDS)}, got {n_bins}")
    if len(best_cfgs) < 2:
        raise ValueError("best_cfgs must have at least two configurations")
    edges: dict[str, list[float]] = {}
    for name in best_cfgs[0]:
        values = [cfg[name] for cfg in best_cfgs]
        inner = quantiles(values, n=n_bins, method="inclusive") if n_bins > 1 else []
        edges[name] = sorted({min(values), *inner, max(values)})
    return edges


def quantile_labels(
    cfg: "Mapping[str, float]", edges: "Mapping[str, Sequence[float]]"
) -> "dict[str, str]":
    """One of nine words, "extremely low" to "extremely high", a knob: LLMTune (arXiv:2404.11581).

    `edges` is from `fit_quantile_bins`; values outside count to the outermost bins.
    """
    labels: dict[str, str] = {}
    for name, value in cfg.items():
        inner = edges[name][1:-1]
        labels[name] = QUANTILE_WORDS[sum(value >= edge for edge in inner)]
    return labels


def from_quantile_labels(
    labels: "Mapping[str, str]",
    edges: "Mapping[str, Sequence[float]]",
    space: "Mapping[str, tuple[float, float]]",
) -> "dict[str, float]":
    """The middle of each named bin, for LLMTune (Huang et al., 2024, arXiv:2404.11581).

    A word beyond a knob's last bin stands for its maximum.
    """
    cfg: dict[str, float] = {}
    for name, word in labels.items():
        if word not in QUANTILE_WORDS:
            raise ValueError(f'labels must be one of nine words, got "{word}" for {name}')
        k, own = QUANTILE_WORDS.index(word), edges[name]
        cfg[name] = (own[k] + own[k + 1]) / 2 if k + 1 < len(own) else space[name][1]
    return cfg


def warm_start_search(
    objective: "Callable[[Mapping[str, float]], float]",
    space: "Mapping[str, tuple[float, float]]",
    init: "Sequence[Mapping[str, float]]" = (),
    n_iter: int = 50,
    *,
    seed: int = 0,
    local_share: float = 0.5,
) -> "tuple[dict[str, float], float]":
    """The configuration with the highest score found from given starts: LLMTune (arXiv:2404.11581).

    Scores `init`, such as what the language model proposes, then `n_iter` drawn configurations:
    uniform ones and, as often as `local_share`, neighbours of the best so far (Huang et al., 2024,
    use HEBO or SMAC; this search is a small stand-in). It serves for learning rates and ranks too.
    """
    if not init and n_iter < 1:
        raise ValueError("n_iter must be at least 1 where init is empty")
    draw = random.Random(seed)
    best: dict[str, float] = {}
    best_score = float("-inf")
    for trial in range(-len(init), n_iter):
        if trial < 0:
            cfg = dict(init[trial])
        else:
            local = draw.random() < local_share and bool(best)
            cfg = {}
            for name, (low, high) in space.items():
                near = best[name] + draw.gauss(0, 0.1) * (high - low) if local else 0.0
                anywhere = draw.uniform(low, high)
                cfg[name] = min(high, max(low, near)) if local else anywhere
        score = objective(cfg)
        if not best or score > best_score:
            best, best_score = cfg, score
    return best, best_score
