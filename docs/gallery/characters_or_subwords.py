"""Characters against sub-words, in bits per character: all runs that read the newest run's text, whatever their tokens are."""

from pathlib import Path

from data.runs import list_runs, open_run
from viz.figures.loss_figure import draw_compared
from viz.grouped_table import bits_curve
from viz.output import save

text = open_run().info["corpus"]
runs = [run for run in list_runs() if run.info.get("corpus", {}).get("sha256") == text["sha256"]][-7:]
curves = [bits_curve(run) for run in runs]
words = "validation loss in bits per character; a loss per token would favour small tokens"
figure = draw_compared(curves, title=f"Who foretells {text['name']} best?", subtitle=words)
save(figure, Path("characters_or_subwords.png"))
