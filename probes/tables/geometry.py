"""The shape of the token table at every snapshot: how its vectors spread, how long they are, how near they are to their final places.

The formulas are functions on arrays, in float64; `token_geometry` and `nearest_neighbours` apply them to a run, step by step. A row
that is zero has no direction: its cosine with anything counts as 0, so that no NaN spreads from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from data.arrays import FloatArray
from data.errors import InputError
from data.runs import Run
from probes.tables.embeddings import token_embeddings

FEWEST_ITEMS = 4  # unbiased HSIC divides by items - 3
BLOCK_ENTRIES = 2**21  # similarities held at once: 16 MB, whatever the number of tokens
ROUNDING = 1e-12  # what is smaller than this beside its terms is rounding


def token_geometry(run: Run, frequencies: Mapping[str, float] | ArrayLike | None = None) -> xr.Dataset:
    """Measure the shape of the token table at every whole snapshot.

    Parameters
    ----------
    run : the run to read.
    frequencies : how often each token occurs: counts by token (those not named occur 0 times), or an array (token,).

    Returns
    -------
    Dataset, float64, with the coordinates of `~probes.tables.embeddings.token_embeddings` and ``component`` (1 is the largest):

    - over (step,): ``mean_cosine``, ``isotropy`` (attribute ``white``: what white noise of this shape gives), ``effective_rank`` and
      ``stable_rank`` (of the column-centred table), ``cka_with_last`` (debiased, linear), ``neighbours_as_last`` (attributes ``k``
      and ``chance``), and with frequencies ``norm_frequency``;
    - over (step, token): ``norm``, and ``drift`` from the row of the first snapshot;
    - over (step, component): ``singular_value`` of the column-centred table.

    Raises
    ------
    InputError
        If the run has no whole snapshot or fewer than four tokens, or the frequencies do not fit its tokens.
    """
    trajectory = token_embeddings(run)
    tokens = list(trajectory["token"].values)
    if len(tokens) < FEWEST_ITEMS:
        raise InputError(f"run {run.name!r} has {len(tokens)} tokens: their geometry needs {FEWEST_ITEMS} or more")
    counts = None if frequencies is None else _counts(frequencies, tokens)
    first, last = (trajectory.values[place].astype(np.float64) for place in (0, -1))
    # Ten, as in the literature; fewer where ten would be so many of the tokens that any two tables agreed by chance.
    k = max(1, min(10, (len(tokens) - 1) // 4))
    steps, final = [], nearest(last, k)
    for values in trajectory.values:
        table = values.astype(np.float64)
        step = _shape(table) | {
            "cka_with_last": debiased_cka(table, last),
            "neighbours_as_last": neighbour_overlap(nearest(table, k), final),
            "drift": np.linalg.norm(table - first, axis=1),
        }
        if counts is not None:
            step["norm_frequency"] = rank_correlation(counts[counts > 0], step["norm"][counts > 0])
        steps.append(step)
    dataset = over_steps(trajectory, steps, {"norm": "token", "drift": "token", "singular_value": "component"})
    dataset["isotropy"].attrs["white"] = _white_iso_score(*first.shape)
    dataset["neighbours_as_last"].attrs.update(k=k, chance=k / (len(tokens) - 1))
    return dataset


def _shape(table: FloatArray) -> dict[str, Any]:
    spectrum = singular_values(table)
    return {
        "mean_cosine": mean_cosine(table),
        "isotropy": iso_score(table),
        "effective_rank": effective_rank(spectrum),
        "stable_rank": stable_rank(spectrum),
        "norm": np.linalg.norm(table, axis=1),
        "singular_value": spectrum,
    }


def nearest_neighbours(run: Run, token: str, k: int = 8) -> xr.Dataset:
    """Return the tokens that stand nearest to one token, by cosine, at every whole snapshot.

    Parameters
    ----------
    run : the run to read.
    token : the token whose neighbours are wanted, as it stands in the coordinate ``token``.
    k : how many; at most the number of other tokens.

    Returns
    -------
    Dataset with dimensions (step, rank), rank 1 being the nearest: ``neighbour``, the tokens, and ``similarity``, their cosines,
    float64. Among equal similarities the token with the smaller id comes first. The attribute ``token`` repeats the question.

    Raises
    ------
    InputError
        If the run has no such token, or fewer than ``k`` others.
    """
    trajectory = token_embeddings(run)
    tokens = list(trajectory["token"].values)
    if token not in tokens:
        token = token.replace("␣", " ").replace("⏎", "\n")  # as pictures write it
    if token not in tokens:
        known = ", ".join(map(repr, tokens[:8])) + (f" and {len(tokens) - 8} more" if len(tokens) > 8 else "")
        raise InputError(f"run {run.name!r} has no token {token!r}; it has {known}")
    if not 1 <= k < len(tokens):
        raise InputError(f"k must be from 1 to {len(tokens) - 1}, the number of other tokens; got {k}: pass such a k")
    place, steps = tokens.index(token), []
    for values in trajectory.values:
        directions = unit_rows(values.astype(np.float64))
        similarity = np.clip(directions @ directions[place], -1.0, 1.0)
        similarity[place] = -np.inf
        chosen = np.argsort(-similarity, kind="stable")[:k]
        steps.append({"neighbour": trajectory["token"].values[chosen], "similarity": similarity[chosen]})
    dataset = over_steps(trajectory, steps, {"neighbour": "rank", "similarity": "rank"}).drop_vars("token")
    return dataset.assign_attrs(token=token)


def centred(table: ArrayLike) -> FloatArray:
    """Return a table (item, dim) minus its mean row; what rounding leaves of a column of equal numbers is set to 0."""
    values = np.asarray(table, dtype=np.float64)
    rest = values - values.mean(axis=0)
    floor = np.finfo(np.float64).eps * len(values) * np.abs(values).max(axis=0)
    return np.where(np.abs(rest) > floor, rest, 0.0)


def unit_rows(table: ArrayLike) -> FloatArray:
    """Return the rows of a table (item, dim) scaled to length 1; a zero row stays zero, having no direction."""
    values = np.asarray(table, dtype=np.float64)
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(np.divide(values, norm, out=np.zeros_like(values), where=norm > 0))


def mean_cosine(table: ArrayLike) -> float:
    """Return the mean cosine over all pairs of different rows of a table (item, dim); 0 for a single row.

    Examples
    --------
    >>> round(mean_cosine([[1, 0], [2, 0], [0, 3]]), 4)  # cosines 1, 0, 0
    0.3333

    References
    ----------
    Ethayarajh 2019, arXiv 1909.00512, there the baseline for anisotropy, over sampled pairs.
    """
    directions = unit_rows(table)
    items = len(directions)
    pairs = np.square(directions.sum(axis=0)).sum() - np.square(directions).sum()  # each pair twice
    return float(pairs / max(1, items * (items - 1)))


def singular_values(table: ArrayLike) -> FloatArray:
    """Return the singular values of a column-centred table (item, dim), largest first: min(item, dim) of them.

    Examples
    --------
    >>> singular_values([[2, 1], [-2, 1], [0, 1]]).round(4)
    array([2.8284, 0.    ])
    """
    return np.asarray(np.linalg.svd(centred(table), compute_uv=False), dtype=np.float64)


def effective_rank(values: ArrayLike) -> float:
    """Return the exponential of the entropy of singular values divided by their sum; 0 where all are 0.

    Examples
    --------
    >>> effective_rank([5, 5, 0])
    2.0

    References
    ----------
    Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality", EUSIPCO, pages 606-610, definition of erank.
    """
    sizes = np.asarray(values, dtype=np.float64)
    if not sizes.any():
        return 0.0
    share = sizes[sizes > 0] / sizes.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def stable_rank(values: ArrayLike) -> float:
    """Return the sum of squared singular values divided by the largest square; 0 where all are 0.

    Examples
    --------
    >>> stable_rank([2, 1])
    1.25

    References
    ----------
    Rudelson and Vershynin 2007, "Sampling from large matrices", arXiv math/0503442, section 1, there called the numerical rank.
    """
    sizes = np.asarray(values, dtype=np.float64)
    return float(np.square(sizes / sizes.max()).sum()) if sizes.any() else 0.0


def iso_score(table: ArrayLike) -> float:
    """Return the IsoScore of a table (item, dim): 1 if its variance is the same in all directions, 0 if it lies on a line.

    Without any variance, or with a single dimension, the score is not defined, and 0 is returned.

    Examples
    --------
    >>> round(iso_score([[2, 0], [-2, 0], [0, 1], [0, -1]]), 4)  # variances 4 to 1: (4 + 1)^2 / (4^2 + 1^2) - 1
    0.4706

    References
    ----------
    Rudman, Gillman, Rayne and Eickhoff 2022, "IsoScore", arXiv 2108.07344, algorithm 1.
    """
    points = centred(table)
    n = points.shape[1]
    if n < 2 or not points.any():
        return 0.0
    # Along the principal axes, the diagonal of the covariance holds its eigenvalues. Its scale goes with the normalisation.
    variance = np.linalg.eigvalsh(points.T @ points)
    normalised = np.sqrt(n) * variance / np.linalg.norm(variance)
    defect = np.linalg.norm(normalised - 1) / np.sqrt(2 * (n - np.sqrt(n)))
    dimensions = (n - defect**2 * (n - np.sqrt(n))) ** 2 / n
    return float((dimensions - 1) / (n - 1))


def debiased_cka(table: ArrayLike, other: ArrayLike) -> float:
    """Return the linear CKA of two tables over the same items, (item, dim) each, from unbiased estimates of HSIC.

    1 if one is the other rotated, moved and scaled; around 0 (below, too) if they are independent; 0 where a table has nothing to
    be compared: its rows are all equal, or equally far from each other. Fewer than four items are an `InputError`.

    Examples
    --------
    >>> across, along = [[-1], [-1], [1], [1]], [[-1], [1], [-1], [1]]
    >>> round(debiased_cka(across, along), 4)  # -16/3 against 32/3
    -0.5

    References
    ----------
    Kornblith et al. 2019, arXiv 1905.00414, equation 4, with HSIC_1 of Nguyen et al. 2021, arXiv 2010.15327, equation 3, which is
    the unbiased estimate of Song et al. 2012, "Feature selection via dependence maximization", JMLR 13, pages 1393-1434.
    """
    x, y = centred(table), centred(other)
    if len(x) < FEWEST_ITEMS:
        raise InputError(f"the debiased CKA needs {FEWEST_ITEMS} items or more; got {len(x)}")
    own = [_unbiased_hsic(points, points) for points in (x, y)]
    if any(value <= ROUNDING * np.square(points.T @ points).sum() for value, points in zip(own, (x, y), strict=True)):
        return 0.0
    return float(_unbiased_hsic(x, y) / np.sqrt(own[0] * own[1]))


def _unbiased_hsic(x: FloatArray, y: FloatArray) -> float:
    # n (n - 3) times HSIC_1. The estimate does not change when a table moves, and for centred ones the row sums of the Gram matrices
    # without their diagonals are minus the squared norms: no matrix of items by items is needed.
    n, x_squared, y_squared = len(x), np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    cross = np.square(x.T @ y).sum()
    return float(cross - n / (n - 2) * x_squared @ y_squared + x_squared.sum() * y_squared.sum() / ((n - 1) * (n - 2)))


def nearest(table: ArrayLike, k: int) -> NDArray[np.intp]:
    """Return, for each row of a table (item, dim), the k other rows of largest cosine, nearest first: (item, k).

    Examples
    --------
    >>> nearest([[1, 0], [3, 1], [0, 1]], k=1).tolist()
    [[1], [0], [1]]
    """
    directions = unit_rows(table)
    items = len(directions)
    chosen = np.empty((items, k), dtype=np.intp)
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, items, height):
        rows = np.arange(start, min(start + height, items))
        distance = -directions[rows] @ directions.T
        distance[np.arange(len(rows)), rows] = np.inf
        found = np.sort(np.argpartition(distance, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(np.take_along_axis(distance, found, axis=1), axis=1, kind="stable")
        chosen[rows] = np.take_along_axis(found, order, axis=1)
    return chosen


def neighbour_overlap(neighbours: ArrayLike, others: ArrayLike) -> float:
    """Return the mean share of each item's neighbours (item, k) that are among its neighbours in another table, (item, k) too.

    Examples
    --------
    >>> neighbour_overlap([[1, 2], [0, 2]], [[2, 3], [2, 0]])  # one of two, both
    0.75

    References
    ----------
    Wendlandt, Kummerfeld and Mihalcea 2018, arXiv 1804.09692, there called stability.
    """
    one, two = np.asarray(neighbours), np.asarray(others)
    return float((one[:, :, None] == two[:, None, :]).any(axis=2).mean())


def rank_correlation(one: ArrayLike, two: ArrayLike) -> float:
    """Return Spearman's correlation of two lists (item,), ties sharing their mean rank; 0 if all of one list are equal.

    Examples
    --------
    >>> rank_correlation([1, 10, 100, 1000], [2, 1, 3, 4])  # one neighbouring pair exchanged: 1 - 6 * 2 / (4 * 15)
    0.8

    References
    ----------
    Spearman 1904, "The proof and measurement of association between two things", American Journal of Psychology 15.
    """
    from scipy.stats import rankdata

    a, b = (ranks - ranks.mean() for ranks in (rankdata(one), rankdata(two)))
    return float(a @ b / np.sqrt((a @ a) * (b @ b))) if a.any() and b.any() else 0.0


def over_steps(trajectory: xr.DataArray, steps: list[dict[str, Any]], second: Mapping[str, str]) -> xr.Dataset:
    """Stack what was measured at each step into a dataset over (step,), or (step, dimension) for those named in ``second``."""
    variables = {
        name: (("step", second[name]) if name in second else ("step",), np.array([step[name] for step in steps]))
        for name in steps[0]
    }
    dataset = xr.Dataset(variables, coords=trajectory.coords, attrs={"run": trajectory.attrs["run"]})
    numbered = {name: np.arange(1, dataset.sizes[name] + 1) for name in ("component", "rank") if name in dataset.sizes}
    return dataset.assign_coords(numbered)


def _white_iso_score(items: int, dims: int) -> float:
    # The score is (P - 1) / (dims - 1), P = tr(W)^2 / tr(W^2). Of white noise, W is Wishart with items - 1 degrees of freedom m,
    # and the mean of 1 / P is (m + dims + 1) / (m dims + 2), around which P hardly strays.
    m = items - 1
    return ((m * dims + 2) / (m + dims + 1) - 1) / (dims - 1) if dims > 1 else 0.0


def _counts(frequencies: Mapping[str, float] | ArrayLike, tokens: list[str]) -> FloatArray:
    if isinstance(frequencies, Mapping):
        unknown = [token for token in frequencies if token not in tokens]
        if unknown:
            raise InputError(f"frequencies name {unknown[0]!r}, which is no token of this run: leave it out")
        frequencies = [frequencies.get(token, 0) for token in tokens]
    counts = np.asarray(frequencies, dtype=np.float64)
    if counts.shape != (len(tokens),):
        raise InputError(
            f"frequencies must be a count for each of {len(tokens)} tokens; got an array of shape {counts.shape}"
        )
    if not np.isfinite(counts).all() or counts.min() < 0 or np.count_nonzero(counts) < 2:
        raise InputError("frequencies must be counts of 0 or more, with two tokens at least that occur")
    return counts
