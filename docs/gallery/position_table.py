"""The position table itself at six snapshots: noise first, then waves along the positions, slow ones at the left."""

from pathlib import Path

from data.runs import open_run
from probes.tables.embeddings import position_embeddings
from viz.drawing.theme import theme
from viz.figures.table_figure import draw_table
from viz.output import save

run = open_run()
words = f"{run.name}: a row a position, a column a dimension"
figure = draw_table(
    position_embeddings(run), title="Waves grow in the position table", subtitle=words, theme=theme("dark")
)
save(figure, Path("position_table.png"))
