"""A scene: panels in a grid under one slider, and the snapshots at which the slider stops."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viz.drawing.theme import Theme
from viz.explanations import OF_KINDS, explanations
from viz.player.panels import Panel
from viz.player.serialization import to_json, with_version

FONT = '"Source Sans", "Source Sans 3", system-ui, sans-serif'


@dataclass(frozen=True)
class NarrowGrid:
    """The layout of the panels where they have less than ``below_px`` of width, and their smallest height there."""

    below_px: int
    grid: str
    min_height_px: int


@dataclass(frozen=True)
class Scene:
    """Everything on a page that changes with the slider.

    Parameters
    ----------
    steps : the snapshots at which the slider stops.
    step : its first position; afterwards the browser keeps the position, unless ``decision`` changes.
    theme : colours.
    panels : what is shown.
    grid : the layout of the panels' areas, as CSS ``grid-template``.
    narrow_grids : layouts in its place for narrower windows; the narrowest that applies is taken.
    words : texts of the slider, by key.
    language : BCP 47 tag, by which the browser formats numbers.
    scale : first scale of the slider, ``log`` or ``linear``.
    decision : a text that changes whenever the page decides the step instead of the slider.
    live : whether the run is still being trained; a slider at its end then follows.
    min_height_px, max_height_px : the panels fill the window between these heights; None for no maximum.
    loss : steps and validation losses, drawn behind the slider.
    unknown_step : what stands for step 0 where the step of that snapshot is not known.
    title : what is shown, such as the name of the run: stands above the panels where they fill the screen.
    """

    steps: Sequence[int]
    step: int
    theme: Theme
    panels: Sequence[Panel]
    grid: str
    words: Mapping[str, str]
    language: str = "en"
    scale: str = "log"
    decision: str = ""
    live: bool = False
    min_height_px: int = 520
    max_height_px: int | None = None
    loss: tuple[Sequence[int], Sequence[float]] | None = None
    unknown_step: str = ""
    title: str = ""
    narrow_grids: Sequence[NarrowGrid] = ()

    def to_json(self) -> dict[str, Any]:
        """Build the JSON object that is sent to the browser."""
        accent = self.theme.palette[1]  # the colour of buttons and links in .streamlit/config.toml, too
        fields = {f.name: to_json(getattr(self, f.name)) for f in dataclasses.fields(self)}
        fields["explanations"] = {panel.id: self._explain(panel) for panel in self.panels}
        return with_version(fields | {"theme": to_json(self.theme) | {"accent": accent, "font": FONT}})

    def _explain(self, panel: Panel) -> list[dict[str, str]]:
        """List the explanations of what a panel shows, in the scene's language."""
        texts = explanations(self.language.partition("-")[0])
        return [dataclasses.asdict(texts[key]) for key in panel.about or OF_KINDS.get(panel.kind, ())]
