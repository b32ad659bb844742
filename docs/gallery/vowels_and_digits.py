"""The token embeddings before and after training: scattered first, then digits by digits and vowels by vowels."""

from pathlib import Path

from data.runs import open_run
from viz.figures.map_figure import draw_maps
from viz.grouped_table import caption, read_grouped_table
from viz.output import save
from viz.projection.projection_cache import cached_projection

run = open_run()
subject = read_grouped_table(run, "tokens", highlights=("vowels", "digits"))
projection = cached_projection(run, subject.trajectory, "tsne")
figure = draw_maps(subject, projection, caption(run, subject, projection))
save(figure, Path("vowels_and_digits.png"))
