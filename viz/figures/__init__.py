"""Figures: `make_figure` makes a `Figure` of a run. `makers` read the run, the files beside it draw arrays, `deck` writes slides."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from viz.figures.figure import Figure, make_figure

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submod_attrs={"figure": ["Figure", "make_figure"]})
__all__ = ["Figure", "make_figure"]
