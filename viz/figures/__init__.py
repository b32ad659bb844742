"""Figures: `make_figure` makes a `Figure` of a run. `makers` read the run, the files beside it draw arrays, `deck` writes slides."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
