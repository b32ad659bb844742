"""How far training moved each matrix from its initial values: after fine-tuning, which parts of the base changed most."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn

import gptlab as gl
import viz

run = gl.open_run()
first, last = (run.snapshots()[end].tensors() for end in (0, -1))
moved = pd.Series({name: np.linalg.norm(last[name] - first[name]) / np.linalg.norm(last[name]) for name in last})
tables = ", ".join(f"{what} table {moved[run.info['tensors'][f'{what}_table']]:.0%}" for what in ("token", "position"))
blocks = moved.filter(regex=r"^h\..+\.weight$").rename(lambda name: name.removesuffix(".weight"))
blocks.index = pd.MultiIndex.from_tuples([name.split(".", 2)[1:] for name in blocks.index], names=["block", None])
slide = viz.blank_slide(
    "What moved", f"{run.name}, first to last snapshot, relative to the norm of the matrix; {tables}"
)
axes = slide.axes(slide.body.inset(left=90, bottom=50))
numbers = {"annot": True, "fmt": ".0%", "annot_kws": {"size": 20}, "cbar": False, "linewidths": 2}
seaborn.heatmap(blocks.unstack(sort=False), cmap=viz.heat_map(slide.theme), vmin=0, ax=axes, **numbers)
axes.tick_params(labelsize=18, labelcolor=slide.theme.muted, labelrotation=0, length=0)
viz.save(slide.figure, Path("what_moved.png"))
