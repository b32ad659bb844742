"""t-SNE of every step of a trajectory, chained backwards in time; openTSNE is the engine.

A film ends on the last snapshot, so this one is laid out first, without a predecessor, its exaggeration lowered from 12 to 1 in small
steps. Each earlier snapshot starts from the layout of the one after it, with iterations in proportion to the change of the affinities. When
these have changed by a twentieth since the last attempt (by a fifth where items are many), a short re-exaggeration tries to resolve
crossings that gradient descent cannot; its layout is accepted if the divergence falls by 1.5%, so that points jump only where it pays. A
snapshot equal to its neighbour keeps the neighbour's layout. Nothing looks ahead: memory does not grow with the number of steps.

Measured on 58 snapshots of a trained 208k model: KL divergence relative to fresh openTSNE fits of the same snapshot (median of four;
median over snapshots, worst, last); motion a snapshot, in layout widths, over the first four snapshots, where the tables hardly
change; processor time relative to fresh fits of all snapshots:

    |                                          | 32 positions                  | 115 tokens                    |
    | this chain                               | 0.96 1.06 0.95, 0.001, 1/11.7 | 0.97 1.00 0.98, 0.002, 1/9.3  |
    | this chain, openTSNE's gradients         | 0.99 1.04 0.98, 0.001, 1/9.4  | 0.97 1.00 0.97, 0.002, 1/5.0  |
    | forward, 50 iterations a snapshot        | 1.01 5.85 0.98, 0.002, 1/14.3 | 1.16 1.41 1.20, 0.006, 1/6.1  |
    | forward, 250                             | 0.95 1.13 0.94, 0.005, 1/3.6  | 0.98 1.06 1.01, 0.016, 1/2.0  |
    | backward, 50                             | 1.00 2.17 1.00, 0.061, 1/12.0 | 1.02 1.18 1.02, 0.044, 1/7.7  |
    | backward, 250                            | 0.97 1.71 1.00, 0.058, 1/3.8  | 1.01 1.11 1.02, 0.028, 1/2.3  |
    | backward, 50 exaggerated twofold + 50    | 1.16 1.20 1.00, 0.254, 1/5.9  | 0.97 1.02 1.02, 0.072, 1/4.8  |

Re-exaggeration was tried at a change of a tenth and accepted at 3% then. As it is now, on another such run: 0.98 1.02 0.98 and 0.96 1.01
0.93 (1.09 and 1.06 at worst before), with a third more motion; on 300 synthetic items over 100 steps 0.97 and 1.06 at worst (1.10 before).

The rejected variants leave points tangled where noise turns into structure (the worst ratios), or move points without a cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.progress import report_share, stage
from viz.projection.affinities import joint_probabilities
from viz.projection.alignment import align_to_axes, rotate_onto
from viz.projection.exact_gradient import exact_gradient, kl_divergence

if TYPE_CHECKING:
    from viz.projection.torch_engine.engine import TorchEngine


@dataclass(frozen=True)
class StoppingRule:
    """Stop when ``check_every`` iterations lower the divergence by less than the share ``tolerance``."""

    at_least: int
    at_most: int
    check_every: int
    tolerance: float


# The last snapshot: iterations at full exaggeration, then at each of the factors down to 1.
EXAGGERATED_ITERATIONS = 100
ANNEALING_ITERATIONS = 20
EXAGGERATIONS = np.geomspace(12, 1, 21)[:-1].tolist()
ANNEALED = StoppingRule(at_least=200, at_most=2000, check_every=50, tolerance=1e-3)

# The other snapshots. A change of affinities is a total variation distance: 0 for the same neighbours, 1 for disjoint ones.
ITERATIONS_PER_CHANGE = 400
CONTINUED_ITERATIONS = 5, 100  # at least, at most
RETRY_AFTER_CHANGE, RETRY_AFTER_CHANGE_MANY = 0.05, 0.2
REEXAGGERATION = 50, 2.0  # iterations, exaggeration
REANNEALED = StoppingRule(at_least=50, at_most=250, check_every=25, tolerance=4e-3)
ACCEPTED_GAIN = 0.015  # share of the divergence by which it must fall, or points would move for nothing

MOMENTUM = 0.8
EXACT_UP_TO = 300  # items; beyond, openTSNE's approximate gradients are faster than the exact one
# Above so many items the gradient in the plane is interpolated, and slow annealing of the first layout gains little.
MANY_ITEMS = 1000
ANNEALING_ITERATIONS_MANY = 5
ANNEALED_MANY = StoppingRule(at_least=200, at_most=500, check_every=50, tolerance=1e-3)
REPORTED_EVERY = 25  # iterations, of many items
EXACT_DIVERGENCE_UP_TO = 5000  # items; beyond, openTSNE's approximation is used


@dataclass(frozen=True)
class Fit:
    """The layout ``points`` (item, axis) of the ``vectors`` (item, dim) of a snapshot, and the state from which the next one continues.

    affinities : (item, item), sparse, the joint probabilities; they sum to 1.
    last_retried : the affinities at the last re-exaggeration.
    divergence : the Kullback-Leibler divergence as openTSNE approximates it, nats.
    n_iter : iterations from the layout before; 0 for the first.
    perplexity : effective number of neighbours of each point.
    """

    points: NDArray[np.float64]
    vectors: NDArray[np.float64]
    affinities: Any
    last_retried: Any
    divergence: float
    n_iter: int = 0
    perplexity: float = 0.0

    def kl_divergence(self) -> float:
        """Compute the Kullback-Leibler divergence in nats; exactly, up to `EXACT_DIVERGENCE_UP_TO` items."""
        if len(self.points) > EXACT_DIVERGENCE_UP_TO:
            return self.divergence
        return kl_divergence(self.affinities, self.points)


@dataclass(frozen=True)
class _Engine:
    """openTSNE with the settings of one chain."""

    perplexity: float
    seed: int
    n_jobs: int
    n_axes: int = 2
    start: int = 0
    """0 for the principal components, otherwise the number of a random start."""
    accelerator: TorchEngine | None = None
    """What computes the neighbours and the gradient of many items in the plane, if not the CPU."""

    def affinities(self, vectors: NDArray[np.float64]) -> Any:
        engine = self._accelerator_of(len(vectors))
        search = None if engine is None else engine.nearest_neighbours
        return joint_probabilities(vectors, self.perplexity, seed=self.seed, n_jobs=self.n_jobs, search=search)

    def initialization(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the first principal components, scaled down and jittered (equal points would never separate), or a random start."""
        from openTSNE.initialization import pca, random

        scheme = random if np.ptp(vectors, axis=0).max() == 0 else pca
        if self.start:
            scheme = random
        return np.asarray(scheme(vectors, self.n_axes, random_state=self.seed + self.start))

    def embedding(self, points: NDArray[np.float64], affinities: Any) -> Any:
        from openTSNE import TSNEEmbedding
        from openTSNE.affinity import Affinities

        held, exact = Affinities(), len(points) <= EXACT_UP_TO
        if (engine := self._accelerator_of(len(points))) is not None:
            held.P = engine.place(affinities)
        else:
            held.P = affinities.toarray() if exact else affinities.copy()  # a copy: exaggeration multiplies it in place
        options = {"negative_gradient_method": self._gradient(points), "random_state": self.seed, "n_jobs": self.n_jobs}
        return TSNEEmbedding(np.array(points), held, **options)

    def _accelerator_of(self, items: int) -> TorchEngine | None:
        return self.accelerator if is_interpolated(items, self.n_axes) else None

    def _gradient(self, points: NDArray[np.float64]) -> Any:
        if len(points) <= EXACT_UP_TO:
            return exact_gradient
        if not is_interpolated(len(points), self.n_axes):
            return "auto"
        if self.accelerator is not None:
            return self.accelerator.gradient
        from viz.projection.interpolated_gradient import interpolated_gradient  # imports numba

        return interpolated_gradient


def is_interpolated(items: int, n_axes: int) -> bool:
    """Check whether the gradient of layouts of this size is interpolated; such layouts can be computed on another device."""
    return items > MANY_ITEMS and n_axes == 2


def chain(
    snapshots: Iterable[NDArray[np.float64]],
    *,
    perplexity: float,
    seed: int = 0,
    n_jobs: int = 1,
    n_axes: int = 2,
    first: Fit | None = None,
    accelerator: TorchEngine | None = None,
) -> Iterator[Fit]:
    """Lay out one snapshot after another, each starting from the layout of the one before.

    Parameters
    ----------
    snapshots : matrices (item, dim), of the same items; for a film the last step comes first (see the module).
    perplexity : effective number of neighbours of each point.
    seed : of the initialization's jitter and of the neighbour search.
    n_jobs : threads; more than one pays from about a thousand items.
    n_axes : dimensions of the layout.
    first : the layout of the first snapshot, where there is one already (`first_fit`).
    accelerator : what computes the neighbours and the gradient of many items in the plane, if not the CPU.

    Yields
    ------
    A fit for each snapshot, in the order given.

    Example
    -------
    >>> cloud = np.random.default_rng(0).normal(size=(40, 8))
    >>> first, second = chain([cloud, cloud], perplexity=6)
    >>> bool((first.points == second.points).all())
    True
    """
    engine = _Engine(perplexity, seed, n_jobs, n_axes, accelerator=accelerator)
    before = first
    for vectors in snapshots:
        if before is None:
            before = _fit(vectors, engine)
        elif not np.array_equal(vectors, before.vectors):
            before = _continue_fit(before, vectors, engine)
        yield before


def first_fit(
    vectors: NDArray[np.float64], *, perplexity: float, seed: int = 0, start: int = 0, n_axes: int = 2
) -> Fit:
    """Lay out the first snapshot of a chain from its principal components or, where ``start`` is above 0, from a random start."""
    return _fit(vectors, _Engine(perplexity, seed, 1, n_axes, start))


def continue_layout(
    vectors: NDArray[np.float64],
    points: NDArray[np.float64],
    *,
    perplexity: float,
    n_iter: int,
    seed: int = 0,
    n_jobs: int = 1,
    accelerator: TorchEngine | None = None,
) -> NDArray[np.float64]:
    """Optimise a layout (item, axis) further for the vectors (item, dim) it already shows, and rotate the result onto it.

    With ``n_iter`` as in the chain, this measures the motion of the method itself.
    """
    engine = _Engine(perplexity, seed, n_jobs, points.shape[1], accelerator=accelerator)
    moved = np.array(_optimize(engine.embedding(points, engine.affinities(vectors)), n_iter))
    return rotate_onto(moved - moved.mean(axis=0), points)


def _fit(vectors: NDArray[np.float64], engine: _Engine) -> Fit:
    """Lay out a snapshot from its principal components, lowering the exaggeration in small steps."""
    affinities = engine.affinities(vectors)
    embedding = engine.embedding(engine.initialization(vectors), affinities)
    with stage(0, 0.15):
        embedding = _optimize(embedding, EXAGGERATED_ITERATIONS, EXAGGERATIONS[0], momentum=0.5)
    are_many = len(vectors) > MANY_ITEMS
    for exaggeration in EXAGGERATIONS[1:]:
        embedding = _optimize(embedding, ANNEALING_ITERATIONS_MANY if are_many else ANNEALING_ITERATIONS, exaggeration)
    with stage(0.3, 1):
        embedding = _optimize_until(embedding, ANNEALED_MANY if are_many else ANNEALED)
    points = align_to_axes(np.array(embedding))
    return Fit(points, vectors, affinities, affinities, embedding.kl_divergence, perplexity=engine.perplexity)


def _continue_fit(before: Fit, vectors: NDArray[np.float64], engine: _Engine) -> Fit:
    """Lay out a snapshot from its neighbour's layout, with iterations in proportion to the change."""
    affinities, last_retried = engine.affinities(vectors), before.last_retried
    n_iter = int(np.clip(ITERATIONS_PER_CHANGE * _change(before.affinities, affinities), *CONTINUED_ITERATIONS))
    with stage(0, 0.3):
        embedding = _optimize(engine.embedding(before.points, affinities), n_iter)
    retry_after = RETRY_AFTER_CHANGE if len(vectors) <= MANY_ITEMS else RETRY_AFTER_CHANGE_MANY
    if _change(last_retried, affinities) > retry_after:
        with stage(0.3, 1):
            retried, last_retried = _optimize_until(_optimize(embedding, *REEXAGGERATION), REANNEALED), affinities
        if retried.kl_divergence < (1 - ACCEPTED_GAIN) * embedding.kl_divergence:
            embedding = retried
    points = rotate_onto(np.array(embedding), before.points)
    return Fit(points, vectors, affinities, last_retried, embedding.kl_divergence, n_iter, engine.perplexity)


def _change(before: Any, after: Any) -> float:
    """Compute the total variation distance of two sparse matrices of joint probabilities, 0 to 1."""
    return float(abs(before - after).sum() / 2)


def _optimize_until(embedding: Any, until: StoppingRule) -> Any:
    """Optimise without exaggeration until the stopping rule holds."""
    divergence = np.inf

    def has_converged(iteration: int, error: float, _: object) -> bool:
        nonlocal divergence
        converged = iteration >= until.at_least and error > divergence * (1 - until.tolerance)
        divergence = error
        if len(embedding) > MANY_ITEMS:
            report_share(iteration / until.at_most, f"t-SNE, iteration {iteration} of at most {until.at_most}")
        return bool(converged)

    return _optimize(embedding, until.at_most, callbacks=[has_converged], callbacks_every_iters=until.check_every)


def _optimize(
    embedding: Any, n_iter: int, exaggeration: float = 1.0, momentum: float = MOMENTUM, **options: Any
) -> Any:
    if len(embedding) > MANY_ITEMS and not options:
        options = {"callbacks": [partial(_report, n_iter)], "callbacks_every_iters": REPORTED_EVERY}
    return embedding.optimize(n_iter, exaggeration=exaggeration, momentum=momentum, learning_rate="auto", **options)


def _report(n_iter: int, iteration: int, _: float, __: object) -> None:
    report_share(iteration / n_iter, f"t-SNE, iteration {iteration} of {n_iter}")
