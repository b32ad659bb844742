"""The theatre: one slider over everything, painted in the browser.

A *scene* is what one page shows at every snapshot: its `panels` are labelled arrays with ``step`` first, sent once. From then
on the slider, its keys and the play button move in the browser alone, and no server has to be asked for the next picture; the
page only hears where the slider came to rest.

`panels` and `scene` hold the nouns, `packing` says how they are sent, `mount` puts a scene on a page, and ``js/`` paints it.
"""

from dashboards.theatre.mount import Events, show
from dashboards.theatre.panels import (
    Bars,
    Claims,
    Curves,
    Maps,
    Neighbours,
    Numbers,
    Panel,
    Samples,
    Scatter,
    Scores,
)
from dashboards.theatre.scene import Scene

__all__ = [
    "Bars",
    "Claims",
    "Curves",
    "Events",
    "Maps",
    "Neighbours",
    "Numbers",
    "Panel",
    "Samples",
    "Scatter",
    "Scene",
    "Scores",
    "show",
]
