"""A film: a picture that can be drawn at any time between snapshots, and the arrays it shows. It plays in a notebook and can be saved."""

from __future__ import annotations

import base64
import contextlib
import html
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from data.files.atomic_files import write_bytes
from data.language import LOCALES, in_language
from data.printing import visible
from data.runs import Run, open_run
from viz.fonts import lettering
from viz.request import FilmRequest
from viz.sidecar import write_sidecar

if TYPE_CHECKING:
    import xarray as xr

    from data.progress import Progress
    from viz.drawing.canvas import Frame
    from viz.films.timeline import Timeline

COMMAND = "python -m viz.video"
INTERPOLATED = "Each snapshot is shown exactly; between snapshots the numbers are interpolated."

_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ margin: 0; background: {background}; }} video {{ display: block; width: 100%; max-height: 100vh; }}</style>
{video}
</html>
"""


class Picture(Protocol):
    """What can be drawn at any time of a film, counted in snapshots.

    A picture may have ``motion``: how much moves from each keyframe to the next, by which the film's time is shared out.
    """

    def frames(self, times: Iterable[float]) -> Iterator[Frame]: ...


@dataclass(frozen=True)
class Film:
    """A film of a run, made by `make_film`."""

    run: Run
    request: FilmRequest
    picture: Picture
    shown: xr.DataArray | xr.Dataset
    """The arrays in the picture, with the dimension ``step`` and the coordinate ``sha256``."""
    alt_text: str
    title: str = ""
    """The title in the picture."""
    keyframes: str = "step"
    """The coordinate of ``shown`` that the film runs through."""
    make_page: Callable[[], str] | None = None
    """Builds the HTML page of a film whose points move under a slider; other films are embedded as a video."""

    @property
    def timeline(self) -> Timeline:
        """When each keyframe is shown."""
        from viz.films.timeline import Timeline

        request, n_keyframes = self.request, self.shown[self.keyframes].size
        motion = tuple(getattr(self.picture, "motion", ()))
        return Timeline(n_keyframes, request.fps, request.pace(n_keyframes), request.hold, motion)

    def save(self, *paths: Path | str, progress: Progress | None = None, client: Any = None) -> None:
        """Write the film in the format of each path's suffix, with a sidecar beside it; each file is written whole or not at all.

        Parameters
        ----------
        paths : ``.mp4``, ``.gif`` or ``.html``. Each frame is drawn once for all of them. A page plays offline, without a server.
        progress : called with the number of frames drawn.
        client : of Dask, whose workers draw; see `probes.parallel.open_client`.

        Raises
        ------
        InputError
            If a suffix is none of these.
        """
        with in_language(self.request.language):
            self._save([Path(path) for path in paths], progress, client)

    def _save(self, files: Sequence[Path], progress: Progress | None, client: Any) -> None:
        pages = [path for path in files if path.suffix == ".html"]
        with tempfile.TemporaryDirectory() as scratch:
            embedded = Path(scratch) / "film.mp4"
            is_embedded = bool(pages) and self.make_page is None
            drawn = [*(path for path in files if path not in pages), *([embedded] if is_embedded else [])]
            if drawn:
                self._encode(drawn, progress, client)
            for path in pages:
                path.parent.mkdir(parents=True, exist_ok=True)
                page = self.make_page() if self.make_page else self._page(embedded.read_bytes())
                write_bytes(path, page.encode())
        for path in files:
            write_sidecar(path, self, COMMAND)

    def _encode(self, paths: Sequence[Path], progress: Progress | None, client: Any) -> None:
        """Draw every frame once and send it to all files."""
        from viz.drawing.canvas import Size
        from viz.films.encode import encoder, write_film
        from viz.films.parallel_frames import frames_of

        timeline, size = self.timeline, Size.parse(self.request.size)
        # Before anything is drawn: a drawn canvas cannot be sent to workers.
        frames = frames_of(self.picture, timeline, client)
        last = timeline.n_snapshots - 1.0
        samples = [frame.copy() for frame in self.picture.frames([0.0, last / 2, last])]
        with contextlib.ExitStack() as stack:
            sinks = [stack.enter_context(encoder(path, size, timeline.fps, samples)) for path in paths]
            for done in write_film(frames, sinks):
                if progress is not None:
                    progress(done)

    def _page(self, mp4: bytes) -> str:
        from viz.drawing.theme import theme

        background = theme(self.request.theme).background
        return _PAGE.format(
            language=LOCALES[self.request.language],
            title=html.escape(self.request.file_name),
            background=background,
            video=self._video(mp4),
        )

    def _video(self, mp4: bytes) -> str:
        source = f"data:video/mp4;base64,{base64.b64encode(mp4).decode()}"
        words = html.escape(visible(self.alt_text), quote=True)
        return f'<video src="{source}" aria-label="{words}" style="max-width: 100%" controls autoplay loop muted playsinline></video>'

    def _repr_html_(self) -> str:
        return self._notebook_html

    @cached_property
    def _notebook_html(self) -> str:
        with in_language(self.request.language), tempfile.TemporaryDirectory() as scratch:
            if self.make_page is not None:
                from viz.player.html import frame

                return frame(self.make_page())
            path = Path(scratch) / "film.mp4"
            self._encode([path], None, None)
            return self._video(path.read_bytes())


Runs = Run | str | None | Sequence[Run | str]
"""A run, its name, None for the newest, or several runs."""


def make_film(runs: Runs, request: FilmRequest, *, progress: Progress | None = None) -> Film:
    """Make a film of a run, or of several side by side.

    Parameters
    ----------
    runs : the run, its name, or two to four of them. None takes the runs that the request names.
    request : what to film, and how it looks.
    progress : called with the number of snapshots that are laid out or measured.

    Returns
    -------
    The film. Its frames are drawn when it is saved or shown.

    Raises
    ------
    InputError
        See `FilmRequest.validate`; also if the run has no such table, layer, token or step.
    """
    given = [] if runs is None else [runs] if isinstance(runs, Run | str) else list(runs)
    names = [one if isinstance(one, str) else one.name for one in given]
    if len(names) == 1:
        request = replace(request, run=names[0])
    elif names:
        request = replace(request, runs=",".join(names), run=None)
    request.validate()
    wanted = given or request.run_names or [request.run]
    run, *others = (one if isinstance(one, Run) else open_run(one) for one in wanted)
    update = progress or (lambda *_, **__: None)
    with lettering(run), in_language(request.language):
        made: Film = request.kind.load()(run, request, update, **({"others": others} if others else {}))
    return made


def film(runs: Runs = None, what: str = "positions", **fields: Any) -> Film:
    """Film a run over its training.

    Parameters
    ----------
    runs : a run, its name, or two to four of them side by side; the newest if not given.
    what : ``positions``, ``tokens``, ``attention``, ``heads``, ``position-similarity`` or ``temperature``.
    fields : of `FilmRequest`: ``highlight``, ``method``, ``prompt``, ``theme``, ``size``, ...

    Returns
    -------
    A film that plays in a notebook; ``save("film.mp4")`` writes it, also as ``.gif`` or ``.html``.
    """
    return make_film(runs, FilmRequest(what=what, **fields))
