"""Layout in points: boxes that are divided into rows and columns, rows of entries that wrap, labels that are moved apart.

All lengths are in points, 72 to the inch. Film frames have 72 dots to the inch, so there a point is a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

NEAREST = 0.96
"""How near two labelled discs may come at rest, in sums of their radii."""
JITTER = 0.1  # pixels
LONGEST_PUSH = 0.35
"""How far a disc moves in a round at most, in radii, so that a pile spreads and does not fly apart to the edges of the panel."""
ROUNDS, MANY_DISCS = 300, 200
"""The most rounds in which discs are moved apart; a quarter of them for so many discs."""
SMOOTHED_STEPS = 3
"""Before and after each step, over which the scale of layouts changes gradually."""


@dataclass(frozen=True)
class Box:
    """A rectangle in points, measured from the lower left corner of its figure."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def top(self) -> float:
        return self.bottom + self.height

    def inset(self, *, left: float = 0, bottom: float = 0, right: float = 0, top: float = 0) -> Box:
        """Shrink the box by these lengths at its sides.

        Examples
        --------
        >>> Box(0, 0, 100, 50).inset(left=10, top=5)
        Box(left=10, bottom=0, width=90, height=45)
        """
        return Box(self.left + left, self.bottom + bottom, self.width - left - right, self.height - bottom - top)

    def part(self, left: float, bottom: float, width: float, height: float) -> Box:
        """Cut out a part of the box, given in fractions of its width and height.

        Examples
        --------
        >>> Box(0, 0, 100, 50).part(0.5, 0, 0.5, 1)
        Box(left=50.0, bottom=0, width=50.0, height=50)
        """
        x, y = self.left + left * self.width, self.bottom + bottom * self.height
        return Box(x, y, width * self.width, height * self.height)

    def columns(self, shares: Sequence[float], gap: float) -> list[Box]:
        """Divide the box into columns of these relative widths, from left to right."""
        room = (self.width - gap * (len(shares) - 1)) / sum(shares)
        starts = [self.left + (room * sum(shares[:i]) + gap * i) for i in range(len(shares))]
        return [Box(x, self.bottom, room * share, self.height) for x, share in zip(starts, shares, strict=True)]

    def rows(self, shares: Sequence[float], gap: float) -> list[Box]:
        """Divide the box into rows of these relative heights, from top to bottom."""
        room = (self.height - gap * (len(shares) - 1)) / sum(shares)
        ends = [room * sum(shares[: i + 1]) + gap * i for i in range(len(shares))]
        return [Box(self.left, self.top - y, self.width, room * share) for y, share in zip(ends, shares, strict=True)]

    def grid(self, n_rows: int, n_columns: int, gap: tuple[float, float]) -> list[Box]:
        """Divide the box into equal cells, row by row; ``gap`` is that between columns and that between rows."""
        return [cell for row in self.rows([1] * n_rows, gap[1]) for cell in row.columns([1] * n_columns, gap[0])]


def flow(widths: Sequence[float], room: float, *, balanced: bool = False) -> list[tuple[float, int]]:
    """Place entries of these widths one after another in rows that wrap at ``room``.

    Parameters
    ----------
    balanced : whether the rows, no more of them, become about equally long.

    Returns
    -------
    For each entry its distance from the start of its row, and the number of the row.

    Examples
    --------
    >>> flow([40, 40, 40], 100)
    [(0.0, 0), (40.0, 0), (0.0, 1)]
    """
    places, x, row = [], 0.0, 0
    for width in widths:
        if x and x + width > room:
            x, row = 0.0, row + 1
        places.append((x, row))
        x += width
    if balanced:
        narrower = (flow(widths, share * room) for share in np.arange(0.4, 1.0, 0.02))
        return next((tried for tried in narrower if tried and tried[-1][1] == row), places)
    return places


def move_apart(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Move labels of these heights apart, so that none overlap and all lie between ``low`` and ``high``.

    Parameters
    ----------
    wanted : the middle of each label, to be kept as nearly as possible.

    Returns
    -------
    The middle of each label.

    Examples
    --------
    >>> move_apart([50, 52, 10], [20, 20, 20], 0, 100)
    [41.0, 61.0, 10.0]
    """
    order = np.argsort(wanted, kind="stable")
    half = np.array(heights, dtype=float)[order] / 2
    places = np.clip(np.array(wanted, dtype=float)[order], low + half, high - half)
    distance = half[1:] + half[:-1]
    for i, least in enumerate(distance):  # each close pair moves by the same amount
        overlap = max(0.0, least - (places[i + 1] - places[i]))
        places[i] -= overlap / 2
        places[i + 1] += overlap / 2
    for i, least in enumerate(distance):
        places[i] = max(places[i], low + half[i])
        places[i + 1] = max(places[i + 1], places[i] + least)
    places[-1] = min(places[-1], high - half[-1])
    for i in reversed(range(len(distance))):
        places[i] = min(places[i], places[i + 1] - distance[i])
    found = np.empty_like(places)
    found[order] = places
    return [float(place) for place in found]


def move_discs_apart(places: Places, shapes: Places, room_px: tuple[float, float], held: Sequence[int] = ()) -> Places:
    """Move labelled discs apart until none hides another's label, each as little as possible.

    Parameters
    ----------
    places : in pixels from the lower left corner of the panel, (item, axis).
    shapes : half the straight part of each lozenge, 0 for a disc, and its radius, (item, 2), in pixels.
    room_px : width and height of the panel.
    held : items that others make way for.

    Returns
    -------
    The new places, (item, axis), inside the panel.
    """
    moved, n = places.astype(np.float64), len(places)
    if n < 2:
        return moved
    straight, radius = shapes.T
    yields = np.ones(n)
    yields[list(held)] = 0.15
    share = yields[:, None] / (yields[:, None] + yields)  # of each distance, what the first item moves
    straights, least = straight[:, None] + straight, NEAREST * (radius[:, None] + radius)
    turns = 2.4 * np.arange(n)
    moved += JITTER * np.stack([np.cos(turns), np.sin(turns)], axis=1)  # so that items at one place have directions
    edge = np.stack([straight + radius, radius], axis=1)
    for _ in range(ROUNDS if n < MANY_DISCS else ROUNDS // 4):
        away = moved[:, None] - moved  # (item, other, axis)
        across = np.maximum(np.abs(away[..., 0]) - straights, 0.0)
        missing = np.maximum(least - np.hypot(across, away[..., 1]), 0.0)
        np.fill_diagonal(missing, 0.0)
        if missing.max() < 0.02 * radius.max():
            break
        towards = away / np.stack([1 + straights / least, np.ones_like(least)], axis=2)  # lozenges part upwards first
        towards /= np.maximum(np.linalg.norm(towards, axis=2, keepdims=True), 1e-6)
        push = 0.7 * ((missing * share)[..., None] * towards).sum(axis=1)
        push *= np.minimum(1.0, LONGEST_PUSH * radius / np.maximum(np.hypot(*push.T), 1e-6))[:, None]
        moved = np.clip(moved + push, edge, np.array(room_px) - edge)
    stayed = np.hypot(*(moved - places).T) < 2 * JITTER
    return np.where(stayed[:, None], places, moved)


def fixed_limits(
    layouts: NDArray[np.floating], width_px: float, height_px: float, margin_px: float
) -> tuple[Places, Places]:
    """Compute x and y limits that hold all items of layouts (..., item, axis) in an area, with equal scales on both axes.

    ``margin_px`` is the free space at each edge, at least a disc's radius.
    """
    flat = np.asarray(layouts, dtype=np.float64).reshape(-1, 2)
    low, high = flat.min(axis=0), flat.max(axis=0)
    room = np.array([width_px - 2 * margin_px, height_px - 2 * margin_px])
    scale = max(float(((high - low) / room).max()), 1e-12)  # data units a pixel
    half = scale * np.array([width_px, height_px]) / 2
    centre = (low + high) / 2
    return np.array([centre[0] - half[0], centre[0] + half[0]]), np.array([centre[1] - half[1], centre[1] + half[1]])


def shrink_to_last(layouts: NDArray[np.floating], width_px: float, height_px: float, margin_px: float) -> Places:
    """Scale earlier layouts (step, item, axis) down where they would leave the limits that hold the last one; return all.

    For methods whose layouts have no scale of their own. Both axes are scaled alike, about the middle of the limits, and the scale
    changes gradually over the steps.
    """
    layouts = np.asarray(layouts, dtype=np.float64)
    limits = np.array(fixed_limits(layouts[-1], width_px, height_px, margin_px))  # (axis, low and high)
    middle, half = limits.mean(axis=1), np.ptp(limits, axis=1) / 2
    room = half * (1 - 2 * margin_px / np.array([width_px, height_px]))
    reach = (np.abs(layouts - middle) / room).max(axis=(1, 2))
    needed = np.pad(1 / np.maximum(reach, 1.0), SMOOTHED_STEPS, mode="edge")
    window = 2 * SMOOTHED_STEPS + 1
    least = np.pad(np.lib.stride_tricks.sliding_window_view(needed, window).min(axis=1), SMOOTHED_STEPS, mode="edge")
    scale = np.lib.stride_tricks.sliding_window_view(least, window).mean(axis=1)
    scale = np.minimum(scale, 1 / np.maximum(reach, 1.0))
    scale[-1] = 1.0
    return np.asarray(middle + scale[:, None, None] * (layouts - middle))
