"""The position embeddings before and after training: random at first, then a line along which neighbours stand in order."""

from pathlib import Path

from data.runs import open_run
from viz.drawing.theme import theme
from viz.figures.map_figure import draw_maps
from viz.grouped_table import caption, read_grouped_table
from viz.output import save
from viz.projection.projection_cache import cached_projection

run = open_run()
subject = read_grouped_table(run, "positions")
projection = cached_projection(run, subject.trajectory, "tsne")
figure = draw_maps(subject, projection, caption(run, subject, projection), theme=theme("dark"))
save(figure, Path("position_line.png"))
