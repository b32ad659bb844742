"""A page under its slider: the panels, where they stand, and the snapshots that the slider stops at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viz.drawing.theme import Theme
from viz.player.panels import Panel
from viz.player.serialization import with_version

FONT = '"Source Sans", "Source Sans 3", system-ui, sans-serif'


@dataclass(frozen=True)
class Scene:
    """Everything a page moves with its slider.

    Parameters
    ----------
    steps : the snapshots that the slider stops at.
    step : where it stands at first; afterwards the browser knows better, unless ``asked`` changes.
    asked : a text that changes whenever the page, not the slider, decides the step.
    columns : the grid of the floor, as CSS's ``grid-template``.
    live : whether the run is still growing; a slider that stands at its end then stays at the end.
    loss : steps and validation losses, drawn behind the slider.
    least_px, most_px : the panels fill the window but are never lower or, where that is given, higher than this.
    """

    steps: Sequence[int]
    step: int
    theme: Theme
    panels: Sequence[Panel]
    columns: str
    words: Mapping[str, str]
    language: str = "en"
    scale: str = "log"
    asked: str = ""
    live: bool = False
    least_px: int = 520
    most_px: int | None = None
    loss: tuple[Sequence[int], Sequence[float]] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the browser is sent."""
        look = {
            "name": self.theme.name,
            "background": self.theme.background,
            "panel": self.theme.panel,
            "text": self.theme.text,
            "muted": self.theme.muted,
            "line": self.theme.line,
            "disc": self.theme.disc,
            "discText": self.theme.disc_text,
            "palette": list(self.theme.palette),
            "accent": self.theme.palette[1],  # the colour of buttons and links in .streamlit/config.toml, too
            "font": FONT,
        }
        loss = None if self.loss is None else {"steps": list(self.loss[0]), "values": [float(v) for v in self.loss[1]]}
        return with_version(
            {
                "steps": [int(step) for step in self.steps],
                "step": int(self.step),
                "asked": self.asked,
                "theme": look,
                "words": dict(self.words),
                "language": self.language,
                "scale": self.scale,
                "columns": self.columns,
                "live": self.live,
                "least": int(self.least_px),
                "most": self.most_px,
                "loss": loss,
                "panels": [panel.to_json() for panel in self.panels],
            }
        )
