"""The timing of a film: when each snapshot is shown, and what lies between snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator, PPoly

from data.errors import InputError

LEAST_GAP_S = 0.13
"""Time from one snapshot to the next where nothing moves, or a third of the average if that is less."""
MOST_PX = 12.0
"""How far the fastest point may move in a frame, in pixels of a film 1080 pixels high, as far as the length of the film allows."""

KEPT_GAPS = 8
"""Gaps between snapshots whose cubics are kept, as many as the trails span; those of all gaps take four times the layouts' memory."""


@dataclass(frozen=True)
class Timeline:
    """When each snapshot is shown: each falls on a frame, and a gap gets more time where more moves in it.

    Parameters
    ----------
    n_snapshots : number of keyframes.
    fps : frames per second.
    seconds_per_snapshot : time from one snapshot to the next, on average.
    hold_seconds : time for which the last snapshot is shown.
    motion : the path of the point that moves farthest from each snapshot to the next, in pixels of a film 1080 pixels high,
        (n_snapshots - 1,); all gaps are equal without it.
    """

    n_snapshots: int
    fps: int = 30
    seconds_per_snapshot: float = 0.5
    hold_seconds: float = 2.0
    motion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 120:
            raise InputError(f"frames a second must lie between 1 and 120; got {self.fps}: pass `fps=30`")
        if not 1 / self.fps <= self.seconds_per_snapshot <= 60:
            raise InputError(
                f"seconds per snapshot must lie between one frame ({1 / self.fps:z.3f}) and 60; got {self.seconds_per_snapshot}: "
                "pass `seconds_per_snapshot=0.5`"
            )

    @property
    def n_moving(self) -> int:
        """The number of frames before the last snapshot."""
        return round((self.n_snapshots - 1) * self.seconds_per_snapshot * self.fps)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The frame on which each snapshot falls, (snapshot,)."""
        n_gaps = self.n_snapshots - 1
        if not self.motion or not any(self.motion):
            evenly = np.arange(self.n_snapshots) * self.seconds_per_snapshot * self.fps
            return np.asarray(np.rint(evenly), dtype=np.int64)
        least = max(1, min(round(LEAST_GAP_S * self.fps), self.n_moving // (3 * n_gaps)))
        frames = _shared_out(np.asarray(self.motion, dtype=np.float64), self.n_moving, least)
        return np.concatenate([[0], np.cumsum(_whole(frames, self.n_moving))])

    def __len__(self) -> int:
        return self.n_moving + max(1, round(self.hold_seconds * self.fps))

    def __iter__(self) -> Iterator[float]:
        """Compute the time of each frame, counted in snapshots: 2.5 is halfway between the third and the fourth."""
        times = np.interp(np.arange(len(self)), self.starts, np.arange(self.n_snapshots))
        return iter(times.tolist())


def _shared_out(motion: NDArray[np.float64], total: int, least: int) -> NDArray[np.float64]:
    """Share out frames among gaps by the square root of their motion, so that large motions are faster, but none too fast.

    Each gap has at least ``least`` frames, and as many as keep its fastest point below `MOST_PX` a frame if there are enough.
    Something must move.
    """
    needed = np.maximum(least, motion / MOST_PX)
    if needed.sum() >= total:
        return np.asarray(least + (total - least * len(motion)) * motion / motion.sum())
    low, high = 0.0, float(total)
    for _ in range(60):
        share = (low + high) / 2
        low, high = (low, share) if np.maximum(needed, share * np.sqrt(motion)).sum() > total else (share, high)
    frames = np.maximum(needed, low * np.sqrt(motion))
    return np.asarray(frames * total / frames.sum())


def _whole(frames: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Round numbers of frames to whole ones of the same total, each at least 1."""
    whole = np.maximum(np.floor(frames), 1).astype(np.int64)
    largest_rest_first = np.argsort(whole - frames, kind="stable")
    whole[largest_rest_first[: max(total - int(whole.sum()), 0)]] += 1
    while whole.sum() > total:
        whole[whole.argmax()] -= 1
    return whole


class Motion:
    """Interpolation of layouts over time.

    At a snapshot its layout is exact. Between snapshots each coordinate follows a monotone cubic, so that points neither stop at each
    snapshot nor overshoot it.

    Parameters
    ----------
    layouts : (step, item, axis).
    starts : when each snapshot is shown, in any unit, ascending; evenly if None. The motion is smooth in this time.

    References
    ----------
    Fritsch and Carlson (1980), "Monotone Piecewise Cubic Interpolation".
    """

    def __init__(self, layouts: NDArray[np.floating], starts: NDArray[np.integer] | None = None):
        self.layouts = np.asarray(layouts, dtype=np.float64)  # (step, item, axis)
        self._places = np.arange(len(self.layouts))
        self._starts = self._places if starts is None else np.asarray(starts)
        self._cubics: dict[int, PPoly] = {}

    def at(self, time: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate the positions at ``time`` (in snapshots), (item, axis); several times give a leading dimension."""
        if len(self.layouts) < 2:
            return self.layouts[0] if np.isscalar(time) else np.repeat(self.layouts, np.size(time), axis=0)
        moments = np.asarray(np.interp(time, self._places, self._starts))
        gaps = np.clip(np.searchsorted(self._starts, moments, side="right") - 1, 0, len(self.layouts) - 2)
        if np.isscalar(time):
            return np.asarray(self._cubic(int(gaps))(moments))
        positions = np.empty((np.size(time), *self.layouts.shape[1:]))
        for gap in np.unique(gaps):
            positions[gaps == gap] = self._cubic(int(gap))(moments[gaps == gap])
        return positions

    def _cubic(self, gap: int) -> PPoly:
        """Compute the cubics of a gap, which follow from the two snapshots around it and one more on either side; few are kept."""
        if gap not in self._cubics:
            first = max(gap - 1, 0)
            curve = PchipInterpolator(self._starts[first : gap + 3], self.layouts[first : gap + 3], axis=0)
            own = slice(gap - first, gap - first + 1)
            while len(self._cubics) >= KEPT_GAPS:
                del self._cubics[next(iter(self._cubics))]
            self._cubics[gap] = PPoly(curve.c[:, own], self._starts[gap : gap + 2])
        return self._cubics[gap]


def interpolate(values: NDArray[np.floating], time: float) -> NDArray[np.float64]:
    """Interpolate values linearly between snapshots.

    Parameters
    ----------
    values : (step, ...).
    time : counted in snapshots.

    Examples
    --------
    >>> interpolate(np.array([1.0, 2.0, 4.0]), 1.25).item()
    2.5
    """
    before = min(int(time), len(values) - 1)
    share = time - before
    if not share:
        return np.asarray(values[before])
    return np.asarray((1 - share) * values[before] + share * values[before + 1])
