"""A figure of a run: a still for a slide. It shows itself in a notebook and can be saved."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.language import in_language
from data.printing import visible
from data.runs import Run, open_run
from viz.fonts import lettering
from viz.output import encode_figure, save
from viz.request import FIGURE_FORMATS, FigureRequest
from viz.sidecar import write_sidecar

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure as MatplotlibFigure

    from data.progress import Progress

COMMAND = "python -m viz.figures"


@dataclass(frozen=True)
class Figure:
    """A figure of a run, made by `make_figure`."""

    run: Run
    request: FigureRequest
    drawing: MatplotlibFigure
    title: str
    alt_text: str
    shown: xr.DataArray | xr.Dataset | None = None
    """The arrays in the picture, with the dimension ``step`` and the coordinate ``sha256``."""

    def save(self, *paths: Path | str) -> None:
        """Write the figure in the format of each path's suffix, with a sidecar beside it; each file is written whole or not at all.

        The text of an SVG stays text, with its letters in the file; that of ``figure.paths.svg`` is drawn as paths.

        Raises
        ------
        InputError
            If a suffix is none of ``.png``, ``.svg`` and ``.pdf``.
        """
        for path in map(Path, paths):
            if path.suffix[1:] not in FIGURE_FORMATS:
                raise InputError(f"a figure is written as .png, .svg or .pdf; got {path.name!r}")
            path.parent.mkdir(parents=True, exist_ok=True)
            save(self.drawing, path, transparent=self.request.transparent)
            write_sidecar(path, self, COMMAND)

    def encode(self, suffix: str) -> bytes:
        """Encode as ``png``, ``svg``, ``pdf`` or ``paths.svg``."""
        return encode_figure(self.drawing, suffix, transparent=self.request.transparent)

    def _repr_png_(self) -> bytes:
        return self.encode("png")

    def _repr_html_(self) -> str:
        source = f"data:image/png;base64,{base64.b64encode(self.encode('png')).decode()}"
        return f'<img src="{source}" alt="{html.escape(visible(self.alt_text), quote=True)}" style="max-width: 100%">'


def make_figure(run: Run | str | None, request: FigureRequest, *, progress: Progress | None = None) -> Figure:
    """Draw one figure of a run.

    Parameters
    ----------
    run : the run or its name. None takes the run that the request names, or the newest.
    request : with one name in ``only``.
    progress : called with the number of snapshots that are laid out or measured.

    Raises
    ------
    NotApplicableError
        If the run has nothing for this figure.
    InputError
        See `FigureRequest.validate`; also if the run has no such layer, token or step.
    """
    if run is not None:
        request = replace(request, run=run if isinstance(run, str) else run.name)
    kind = request.kind
    request.validate()
    opened = run if isinstance(run, Run) else open_run(request.run)
    with lettering(opened), in_language(request.language):
        made: Figure = kind.load()(opened, request, progress or (lambda *_, **__: None))
    return made


def figure(run: Run | str | None = None, name: str = "loss", **fields: Any) -> Figure:
    """Draw a figure of a run.

    Parameters
    ----------
    run : the run or its name; the newest if not given.
    name : ``loss``, ``tokens``, ``positions``, ``attention``, ``heads``, ...; see `viz.registry.FIGURES`.
    fields : of `FigureRequest`: ``prompt``, ``step``, ``highlight``, ``theme``, ``size``, ...

    Returns
    -------
    A figure that shows itself in a notebook; ``save("figure.svg")`` writes it, also as ``.png`` or ``.pdf``.
    """
    return make_figure(run, FigureRequest(only=(name,), **fields))
