"""The tokens nearest to the letter a at nine snapshots, a picture of one's own making: strangers first, then letters like it."""

from pathlib import Path

import numpy as np
import seaborn

from data.runs import open_run
from probes.groups.symbols import display
from probes.tables.neighbours import nearest_neighbours
from viz.drawing.slide import blank_slide, evenly
from viz.drawing.theme import heat_map
from viz.output import save

run = open_run()
near = nearest_neighbours(run, "a").transpose("rank", "step")
near = near.isel(step=evenly(near.sizes["step"], 9))
slide = blank_slide("The company that “a” keeps", f"{run.name}: nearest first, coloured by cosine")
axes, key = (slide.axes(box) for box in slide.body.inset(left=46, bottom=50, right=52).columns([70, 1], gap=22))
words = {"annot": np.vectorize(display)(near["neighbour"]), "fmt": "", "annot_kws": {"size": 20}, "linewidths": 2}
seaborn.heatmap(near["similarity"].to_pandas(), cmap=heat_map(slide.theme), vmin=0, ax=axes, cbar_ax=key, **words)
for axis in (axes.xaxis, axes.yaxis, key.yaxis):
    axis.label.set(size=18, color=slide.theme.muted)
    axis.set_tick_params(labelsize=18, labelcolor=slide.theme.muted, labelrotation=0, length=0)
save(slide.figure, Path("letter_neighbours.png"))
