"""What every head looks at while it reads: a line beside the diagonal follows the token before, a stripe is a token many look at."""

from pathlib import Path

from data.runs import open_run
from probes.models.attention import attention_maps
from viz.drawing.theme import theme
from viz.figures.attention_figure import draw_grid
from viz.output import save

run = open_run()
last = attention_maps(run).isel(step=-1)
words = f"{run.name} at step {int(last['step']):,}; each row is a token that looks at those before it"
figure = draw_grid(last, title="Every head at a glance", subtitle=words, theme=theme("dark"))
save(figure, Path("attention_grid.png"))
