"""The timing of a film: when each snapshot is shown, and what lies between snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from data.errors import InputError


@dataclass(frozen=True)
class Timeline:
    """When each snapshot is shown.

    Parameters
    ----------
    n_snapshots : number of keyframes.
    fps : frames per second.
    seconds_per_snapshot : time from one snapshot to the next.
    hold_seconds : time for which the last snapshot is shown.
    """

    n_snapshots: int
    fps: int = 30
    seconds_per_snapshot: float = 0.5
    hold_seconds: float = 2.0

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

    def __len__(self) -> int:
        return self.n_moving + max(1, round(self.hold_seconds * self.fps))

    def __iter__(self) -> Iterator[float]:
        """Compute the time of each frame, counted in snapshots: 2.5 is halfway between the third and the fourth."""
        for frame in range(len(self)):
            yield min(frame / (self.seconds_per_snapshot * self.fps), self.n_snapshots - 1.0)


class Motion:
    """Interpolation of layouts over time.

    At a snapshot its layout is exact. Between snapshots each coordinate follows a monotone cubic, so that points neither stop at each
    snapshot nor overshoot it.

    References
    ----------
    Fritsch and Carlson (1980), "Monotone Piecewise Cubic Interpolation".
    """

    def __init__(self, layouts: NDArray[np.floating]):
        self.layouts = np.asarray(layouts, dtype=np.float64)  # (step, item, axis)
        several = len(self.layouts) > 1
        self._curve = PchipInterpolator(np.arange(len(self.layouts)), self.layouts, axis=0) if several else None

    def at(self, time: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate the positions at ``time`` (in snapshots), (item, axis); several times give a leading dimension."""
        if self._curve is None:
            return self.layouts[0] if np.isscalar(time) else np.repeat(self.layouts, np.size(time), axis=0)
        return np.asarray(self._curve(time))


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
