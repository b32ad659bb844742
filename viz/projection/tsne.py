"""t-SNE of every step of a trajectory, chained backwards in time; openTSNE is the engine.

The last snapshot is what a film ends on, so it is laid out first and from nothing, its exaggeration let down from 12 to 1 by small
degrees. Each earlier snapshot starts from the layout of the one after it, with as many iterations as its affinities have changed.
Once they have drifted a twentieth of the way, a short exaggeration tries to untie knots, and its layout is taken if the divergence
falls by 1.5%, so that points jump only where it pays. A snapshot equal to its neighbour keeps the neighbour's layout. Nothing looks ahead:
memory does not grow with the number of steps.

Measured on 58 snapshots of a trained 208k model: KL divergence over that of fresh openTSNE fits of the same snapshot (median of
four; median over snapshots, worst, last); motion a snapshot, in layout widths, over the first four snapshots, where the tables
hardly change; processor time over that of fresh fits of all snapshots:

    |                                          | 32 positions                  | 115 tokens                    |
    | this chain                               | 0.96 1.06 0.95, 0.001, 1/11.7 | 0.97 1.00 0.98, 0.002, 1/9.3  |
    | this chain, openTSNE's gradients         | 0.99 1.04 0.98, 0.001, 1/9.4  | 0.97 1.00 0.97, 0.002, 1/5.0  |
    | forward, 50 iterations a snapshot        | 1.01 5.85 0.98, 0.002, 1/14.3 | 1.16 1.41 1.20, 0.006, 1/6.1  |
    | forward, 250                             | 0.95 1.13 0.94, 0.005, 1/3.6  | 0.98 1.06 1.01, 0.016, 1/2.0  |
    | backward, 50                             | 1.00 2.17 1.00, 0.061, 1/12.0 | 1.02 1.18 1.02, 0.044, 1/7.7  |
    | backward, 250                            | 0.97 1.71 1.00, 0.058, 1/3.8  | 1.01 1.11 1.02, 0.028, 1/2.3  |
    | backward, 50 exaggerated twofold + 50    | 1.16 1.20 1.00, 0.254, 1/5.9  | 0.97 1.02 1.02, 0.072, 1/4.8  |

Untying was at a tenth and 3% then. As it is now, on another such run: 0.98 1.02 0.98 and 0.96 1.01 0.93 (1.09 and 1.06 at worst
before), with a third more motion; on 300 made-up items over 100 steps 0.97 and 1.06 at worst (1.10 before).

What lost leaves knots where noise turns into structure (the worst figures), or moves points that have no cause to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.fidelity.neighbourhoods import row_blocks
from viz.projection.alignment import lay_along_axes, rotate_onto


@dataclass(frozen=True)
class Settling:
    """Iterate until ``check_every`` iterations lower the divergence by a smaller share than ``tolerance``."""

    at_least: int
    at_most: int
    check_every: int
    tolerance: float


# The last snapshot: iterations at full exaggeration, then at each of the factors down to 1.
EXAGGERATED = 100
LET_DOWN = 20
EXAGGERATIONS = np.geomspace(12, 1, 21)[:-1].tolist()
ANNEALED = Settling(at_least=200, at_most=2000, check_every=50, tolerance=1e-3)

# Every other. A change of affinities is a total variation distance: 0 for the same neighbours, 1 for wholly other ones.
ITERATIONS_PER_CHANGE = 400
FOLLOWING_ITERATIONS = 5, 100  # at least, at most
UNTIE_AFTER_CHANGE = 0.05
UNTYING = 50, 2.0  # iterations, exaggeration
UNTIED = Settling(at_least=50, at_most=250, check_every=25, tolerance=4e-3)
WORTH_UNTYING = 0.015  # the share of the divergence that must be gained, or points would move for nothing

MOMENTUM = 0.8
EXACT_UP_TO = 300  # items; beyond, openTSNE's approximate gradients are faster than the exact one
# Above so many items iterations are dear, and a first layout of many points gains little by being let down slowly.
MANY_ITEMS = 1000
LET_DOWN_MANY = 5
ANNEALED_MANY = Settling(at_least=200, at_most=500, check_every=50, tolerance=1e-3)
EXACT_DIVERGENCE_UP_TO = 5000  # items; beyond, the divergence is openTSNE's own approximation


@dataclass(frozen=True)
class Fit:
    """The layout of one snapshot, and what the next one in the chain starts from.

    points : (item, axis), layout units (they mean nothing in themselves), centred at the origin.
    vectors : (item, dim), what was laid out.
    affinities : (item, item), sparse, the joint probabilities of neighbourhood; they sum to 1.
    last_untied : the affinities when it was last tried to untie knots.
    divergence : the Kullback-Leibler divergence as openTSNE approximates it, nats.
    n_iter : iterations that led here from the layout before; 0 for the first.
    """

    points: NDArray[np.float64]
    vectors: NDArray[np.float64]
    affinities: Any
    last_untied: Any
    divergence: float
    n_iter: int = 0

    def kl_divergence(self) -> float:
        """Return the Kullback-Leibler divergence of the layout, in nats; exactly, up to `EXACT_DIVERGENCE_UP_TO` items."""
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

    def affinities(self, vectors: NDArray[np.float64]) -> Any:
        from openTSNE.affinity import PerplexityBasedNN

        return PerplexityBasedNN(vectors, self.perplexity, random_state=self.seed, n_jobs=self.n_jobs).P

    def starting_points(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the first principal components, as small as t-SNE wants them and jittered: equal points would never part."""
        from openTSNE import initialization

        scheme = initialization.random if np.ptp(vectors, axis=0).max() == 0 else initialization.pca
        return np.asarray(scheme(vectors, self.n_axes, random_state=self.seed))

    def embedding(self, points: NDArray[np.float64], affinities: Any) -> Any:
        from openTSNE import TSNEEmbedding
        from openTSNE.affinity import Affinities

        held, exact = Affinities(), len(points) <= EXACT_UP_TO
        held.P = affinities.toarray() if exact else affinities.copy()  # a copy: exaggeration multiplies it in place
        method = exact_gradient if exact else "auto"
        options = {"negative_gradient_method": method, "random_state": self.seed, "n_jobs": self.n_jobs}
        return TSNEEmbedding(np.array(points), held, **options)


def chain(
    snapshots: Iterable[NDArray[np.float64]], *, perplexity: float, seed: int = 0, n_jobs: int = 1, n_axes: int = 2
) -> Iterator[Fit]:
    """Lay out one snapshot after another, each starting from the layout of the one before.

    Parameters
    ----------
    snapshots : matrices (item, dim), of the same items; for a film the last step comes first (see the module).
    perplexity : about how many neighbours a point attends to.
    seed : of the starting points' jitter and of the neighbour search.
    n_jobs : threads; more than one pays from about a thousand items.
    n_axes : dimensions of the layout.

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
    engine = _Engine(perplexity, seed, n_jobs, n_axes)
    before: Fit | None = None
    for vectors in snapshots:
        if before is None:
            before = _fit(vectors, engine)
        elif not np.array_equal(vectors, before.vectors):
            before = _follow(before, vectors, engine)
        yield before


def again(
    vectors: NDArray[np.float64],
    points: NDArray[np.float64],
    *,
    perplexity: float,
    n_iter: int,
    seed: int = 0,
    n_jobs: int = 1,
) -> NDArray[np.float64]:
    """Optimise a layout once more for the vectors it shows already: what moves is the method's own doing.

    Parameters
    ----------
    vectors : (item, dim).
    points : (item, axis), their layout.
    n_iter : iterations, as many as the chain takes for a step.

    Returns
    -------
    (item, axis), turned onto ``points``.
    """
    engine = _Engine(perplexity, seed, n_jobs, points.shape[1])
    moved = np.array(_optimize(engine.embedding(points, engine.affinities(vectors)), n_iter))
    return rotate_onto(moved - moved.mean(axis=0), points)


def kl_divergence(affinities: Any, points: NDArray[np.float64]) -> float:
    """Compute what t-SNE minimises, without approximation and without an items-by-items matrix in memory.

    Parameters
    ----------
    affinities : (item, item) sparse joint probabilities, summing to 1.
    points : (item, axis).

    Returns
    -------
    The Kullback-Leibler divergence of the layout's Student-t similarities from the affinities, in nats.

    Example
    -------
    >>> from scipy.sparse import csr_array
    >>> pairs = csr_array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> round(kl_divergence(pairs, np.array([[0.0, 0.0], [0.0, 0.0], [1e6, 0.0]])), 6)
    0.0

    References
    ----------
    Van der Maaten and Hinton 2008, "Visualizing data using t-SNE", equations 2 and 4.
    """
    from scipy.spatial.distance import cdist

    pairs = affinities.tocoo()
    kept = pairs.data > 0
    squared = np.square(points[pairs.row] - points[pairs.col]).sum(axis=1)
    similarity = sum(
        (1.0 / (1.0 + cdist(points[rows], points, "sqeuclidean"))).sum() for rows in row_blocks(len(points))
    )
    similarity -= len(points)  # of each point with itself
    return float(pairs.data[kept] @ np.log(pairs.data[kept] * (1.0 + squared[kept]) * similarity))


def exact_gradient(
    embedding: NDArray[np.float64], affinities: NDArray[np.float64], should_eval_error: bool = False, **_: Any
) -> tuple[float, NDArray[np.float64]]:
    """Compute the divergence (if asked for) and its gradient without approximation, as openTSNE calls it.

    Parameters
    ----------
    embedding : (item, axis).
    affinities : (item, item), dense, possibly exaggerated.
    should_eval_error : whether the divergence is wanted; 0.0 is returned for it otherwise.

    Returns
    -------
    The divergence, and a quarter of its gradient (item, axis): openTSNE leaves the factor 4 to the learning rate.

    References
    ----------
    Van der Maaten and Hinton 2008, "Visualizing data using t-SNE", equation 5.
    """
    y = np.asarray(embedding)
    n_axes = y.shape[1]
    # Columns y, 1, |y|^2 and -2y, 1 + |y|^2, 1: their product is 1 + the squared distances. What costs here is each pass over
    # (item, item), and for few items each call.
    right, left = np.ones((2, len(y), n_axes + 2))
    right[:, :n_axes], right[:, -1] = y, np.einsum("ij,ij->i", y, y)
    left[:, :n_axes], left[:, n_axes] = -2.0 * y, 1.0 + right[:, -1]
    w = left @ right.T
    np.reciprocal(w, out=w)
    np.fill_diagonal(w, 0.0)
    total = w.sum()
    divergence = 0.0
    if should_eval_error:
        kept = affinities > 0
        divergence = float(affinities[kept] @ np.log(affinities[kept] * total / w[kept]))
    force = w * (-1.0 / total)
    force += affinities
    force *= w
    pull = force @ right[:, : n_axes + 1]
    return divergence, pull[:, n_axes:] * y - pull[:, :n_axes]


def _fit(vectors: NDArray[np.float64], engine: _Engine) -> Fit:
    """Lay out a snapshot from nothing, letting the exaggeration down by degrees."""
    affinities = engine.affinities(vectors)
    embedding = engine.embedding(engine.starting_points(vectors), affinities)
    embedding = _optimize(embedding, EXAGGERATED, EXAGGERATIONS[0], momentum=0.5)
    are_many = len(vectors) > MANY_ITEMS
    for exaggeration in EXAGGERATIONS[1:]:
        embedding = _optimize(embedding, LET_DOWN_MANY if are_many else LET_DOWN, exaggeration)
    embedding = _settle(embedding, ANNEALED_MANY if are_many else ANNEALED)
    return Fit(lay_along_axes(np.array(embedding)), vectors, affinities, affinities, embedding.kl_divergence)


def _follow(before: Fit, vectors: NDArray[np.float64], engine: _Engine) -> Fit:
    """Lay out a snapshot starting from a neighbour's layout, with effort in proportion to the change."""
    affinities, last_untied = engine.affinities(vectors), before.last_untied
    n_iter = int(np.clip(ITERATIONS_PER_CHANGE * _change(before.affinities, affinities), *FOLLOWING_ITERATIONS))
    embedding = _optimize(engine.embedding(before.points, affinities), n_iter)
    if _change(last_untied, affinities) > UNTIE_AFTER_CHANGE:
        untied, last_untied = _settle(_optimize(embedding, *UNTYING), UNTIED), affinities
        if untied.kl_divergence < (1 - WORTH_UNTYING) * embedding.kl_divergence:
            embedding = untied
    points = rotate_onto(np.array(embedding), before.points)
    return Fit(points, vectors, affinities, last_untied, embedding.kl_divergence, n_iter)


def _change(before: Any, after: Any) -> float:
    """Return the total variation distance of two sparse matrices of joint probabilities, 0 to 1."""
    return float(abs(before - after).sum() / 2)


def _settle(embedding: Any, until: Settling) -> Any:
    """Optimise without exaggeration until the divergence falls no more."""
    divergence = np.inf

    def has_settled(iteration: int, error: float, _: object) -> bool:
        nonlocal divergence
        settled = iteration >= until.at_least and error > divergence * (1 - until.tolerance)
        divergence = error
        return bool(settled)

    return _optimize(embedding, until.at_most, callbacks=[has_settled], callbacks_every_iters=until.check_every)


def _optimize(
    embedding: Any, n_iter: int, exaggeration: float = 1.0, momentum: float = MOMENTUM, **options: Any
) -> Any:
    return embedding.optimize(n_iter, exaggeration=exaggeration, momentum=momentum, learning_rate="auto", **options)
