"""A linear head, fitted to convergence on features that were computed once; its penalty by cross-validation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from zoo.training.lbfgs import minimize

Kind = Literal["softmax", "sigmoid", "linear"]

PENALTIES = tuple(10.0 ** (half / 2) for half in range(2, -9, -1))  # the strong ones first: fits begin where others end
FOLDS = 5
CROSS_VALIDATED = 4000  # examples that the penalty is chosen on, at most
BLOCK = 8192  # rows that are standardised at once
TOLERANCE = 1e-4  # of the gradient's norm, where a gradient of 1 moves a logit by about 1


@dataclass(frozen=True)
class LinearHead:
    """`outputs = features @ kernel + bias`: `(n, features)` by `(features, outputs)`, and `(outputs,)`; float64.

    `penalty` is what half the squared kernel counted beside the mean loss, for features of variance 1.
    """

    kernel: np.ndarray
    bias: np.ndarray
    penalty: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return features @ self.kernel + self.bias


@dataclass(frozen=True)
class Problem:
    """Features `(n, d)`, targets `(n, outputs)`, what an example counts `(n,)`, and which rows show one example.

    `mean` and `scale` are `(d,)`: each feature is divided by the square root of its standard deviation, and all by one
    number that makes their variances 1 in the mean. With few examples, dividing by the deviation itself would make the
    noise of features that hardly vary as large as the rest; on many, not dividing lets the largest drown it.
    """

    kind: Kind
    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    examples: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def part(self, rows: np.ndarray) -> "Problem":
        known = {name: getattr(self, name)[rows] for name in ("features", "targets", "weights", "examples")}
        return replace(self, **known)


def fit_linear_head(
    kind: Kind,
    features: np.ndarray,
    targets: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    views: int = 1,
    seed: int = 0,
) -> LinearHead:
    """Fit a head by penalised maximum likelihood: logistic regression of one class or of several, or ridge.

    The penalty is the one with the least loss in five-fold cross-validation, and the same for a seed.

    Args:
        kind: `softmax`, one class per example; `sigmoid`, any number of them; `linear`, quantities.
        features: `(views * n, d)`, float.
        targets: `(views * n, outputs)`: 1 for the classes of an example and else 0, or quantities.
        weights: What each row counts, `(views * n,)`; by default 1.
        views: How often all examples come, one after the other, in other views; they stay in one fold.
        seed: Shuffles the folds.

    Example:
        >>> import numpy as np
        >>> from zoo.training.linear_head import fit_linear_head
        >>> features = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
        >>> head = fit_linear_head("softmax", features, np.eye(2)[[0, 0, 0, 1, 1, 1]])
        >>> head(features).argmax(axis=1).tolist()
        [0, 0, 0, 1, 1, 1]
    """
    targets = np.asarray(targets, np.float64)
    center, unit = (targets.mean(0), np.maximum(targets.std(0), 1e-12)) if kind == "linear" else (0.0, 1.0)
    counts = np.ones(len(features)) if weights is None else np.asarray(weights, np.float64)
    mean = features.mean(axis=0, dtype=np.float64)
    scale = feature_scale(features)
    examples = np.tile(np.arange(len(features) // views), views)
    problem = Problem(kind, features, (targets - center) / unit, counts / counts.mean(), examples, mean, scale)
    penalty = _best_penalty(problem, seed)
    found = _fitted(problem, penalty, _start(problem))
    kernel = found[:-1] / scale[:, None] * unit
    return LinearHead(kernel, (found[-1] * unit + center) - mean @ kernel, penalty)


def feature_scale(features: np.ndarray) -> np.ndarray:
    """What each feature is divided by: `(n, d)` -> `(d,)`, see `Problem`."""
    variance = features.var(axis=0, dtype=np.float64)
    scale = np.maximum(variance, 1e-6 * max(1e-24, variance.max())) ** 0.25
    return scale * np.sqrt(np.maximum(1e-24, (variance / scale**2).mean()))


def _best_penalty(problem: Problem, seed: int) -> float:
    generator = np.random.default_rng(seed)
    count = int(problem.examples.max()) + 1
    folds = _folds(problem, count, generator)
    if folds.max() < 1:
        return 0.1  # one example cannot be left out
    if count > CROSS_VALIDATED:
        few = np.isin(problem.examples, generator.choice(count, CROSS_VALIDATED, replace=False))
        problem = problem.part(few)
    losses = np.zeros(len(PENALTIES))
    for fold in range(folds.max() + 1):
        held = folds[problem.examples] == fold
        kept, left_out = problem.part(~held), problem.part(held)
        found = _start(problem)
        for place, penalty in enumerate(PENALTIES):
            found = _fitted(kept, penalty, found)
            losses[place] += held.sum() * _loss(left_out, 0.0)(found)[0]
    return PENALTIES[int(losses.argmin())] * min(1.0, CROSS_VALIDATED / count)


def _folds(problem: Problem, count: int, generator: np.random.Generator) -> np.ndarray:
    """The fold of each example; of one class they are spread over all folds."""
    kinds = problem.targets[:count].argmax(axis=1) if problem.kind == "softmax" else np.zeros(count, int)
    sizes = np.bincount(kinds)
    most = max(2, min(FOLDS, int(sizes[sizes > 0].min()))) if count > 2 else 1
    folds = np.zeros(count, int)
    for kind in np.unique(kinds):
        places = generator.permutation(np.flatnonzero(kinds == kind))
        folds[places] = np.arange(len(places)) % most
    return folds


def _start(problem: Problem) -> np.ndarray:
    return np.zeros((problem.features.shape[1] + 1, problem.targets.shape[1]))


def _fitted(problem: Problem, penalty: float, start: np.ndarray) -> np.ndarray:
    """Kernel and, in the last row, bias: `(features + 1, outputs)`."""
    return minimize(_loss(problem, penalty), start, TOLERANCE)


def _loss(problem: Problem, penalty: float) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """A function from kernel and bias to the penalised mean loss and its gradient."""

    def value(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        kernel = parameters[:-1]
        total, gradient = 0.0, np.zeros_like(parameters)
        for start in range(0, len(problem.features), BLOCK):
            rows = slice(start, start + BLOCK)
            inputs = (problem.features[rows] - problem.mean) / problem.scale
            losses, slopes = _LOSSES[problem.kind](inputs @ kernel + parameters[-1], problem.targets[rows])
            weights = problem.weights[rows] / len(problem.features)
            slopes = slopes * weights[:, None]
            total += float(losses @ weights)
            gradient[:-1] += inputs.T @ slopes
            gradient[-1] += slopes.sum(axis=0)
        gradient[:-1] += penalty * kernel
        return total + 0.5 * penalty * float(np.square(kernel).sum()), gradient

    return value


def softmax_loss(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cross entropy `(n,)` of logits and one-hot targets `(n, classes)`, and its slope."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    return np.log(sums[:, 0]) - (targets * shifted).sum(axis=1), exponentials / sums - targets


def sigmoid_loss(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Binary cross entropy, a mean over the classes: `(n,)`, and its slope."""
    count = logits.shape[1]
    losses = (np.logaddexp(0, logits) - targets * logits).mean(axis=1)
    return losses, (0.5 * (1 + np.tanh(logits / 2)) - targets) / count


def linear_loss(outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the squared error, a mean over the outputs: `(n,)`, and its slope."""
    errors = outputs - targets
    return 0.5 * np.square(errors).mean(axis=1), errors / errors.shape[1]


_LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "linear": linear_loss}
