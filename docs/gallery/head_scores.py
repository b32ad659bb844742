"""What each attention head does from snapshot to snapshot, beside the loss: where a line climbs, a head has found its job."""

from pathlib import Path

from data.runs import open_run
from probes.models.heads import head_scores
from viz.figures.head_score_figure import draw_scores
from viz.grouped_table import loss_curve
from viz.output import save

run = open_run()
words = f"{run.name}: a line a head; dashed, a head that attends evenly"
figure = draw_scores(head_scores(run), loss_curve(run), title="How heads find their jobs", subtitle=words)
save(figure, Path("head_scores.png"))
