"""How like each other the positions are, before, midway and after: a broad diagonal band means that near ones are alike."""

from pathlib import Path

from data.runs import open_run
from probes.tables.positions import position_similarity
from viz.figures.table_figure import draw_similarity
from viz.output import save

run = open_run()
words = f"{run.name}: cosine of the rows of the centred position table"
figure = draw_similarity(position_similarity(run), title="Which positions are alike?", subtitle=words)
save(figure, Path("similar_positions.png"))
