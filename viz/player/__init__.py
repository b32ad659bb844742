"""The player: one slider over everything, painted in the browser.

A *scene* is what one page shows at every snapshot: its `panels` are labelled arrays with ``step`` first, sent once. From then on the
slider, its keys and the play button move in the browser alone, and no server is asked for the next picture.

`panels` and `scene` hold the types, `serialization` says how they are sent, `bundle` joins the modules of ``js/``, which paint.
"""

from viz.player.panels import (
    Bars,
    Comparisons,
    Curves,
    HeadTimeline,
    HeatMaps,
    Neighbours,
    Numbers,
    Panel,
    Samples,
    Scatter,
)
from viz.player.scene import Scene

__all__ = [
    "Bars",
    "Comparisons",
    "Curves",
    "HeadTimeline",
    "HeatMaps",
    "Neighbours",
    "Numbers",
    "Panel",
    "Samples",
    "Scatter",
    "Scene",
]
