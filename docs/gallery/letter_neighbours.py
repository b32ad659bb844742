"""The tokens nearest to the letter a at nine snapshots, in a picture of one's own making: unrelated at first, then similar letters."""

from pathlib import Path

import numpy as np
import seaborn

import gptlab as gl
import viz

run = gl.open_run()
near = gl.neighbours(run, "a").transpose("rank", "step")
near = near.isel(step=viz.evenly(near.sizes["step"], 9))
slide = viz.blank_slide("The neighbours of “a”", f"{run.name}: nearest first, coloured by cosine")
axes, key = (slide.axes(box) for box in slide.body.inset(left=46, bottom=50, right=52).columns([70, 1], gap=22))
labels = np.vectorize(viz.short_label)(near["neighbour"])
words = {"annot": labels, "fmt": "", "annot_kws": {"size": 20}, "linewidths": 2}
seaborn.heatmap(near["similarity"].to_pandas(), cmap=viz.heat_map(slide.theme), vmin=0, ax=axes, cbar_ax=key, **words)
for axis in (axes.xaxis, axes.yaxis, key.yaxis):
    axis.set_tick_params(labelsize=18, labelcolor=slide.theme.muted, labelrotation=0, length=0)
    axis.label.set(size=18, color=slide.theme.muted)
viz.save(slide.figure, Path("letter_neighbours.png"))
