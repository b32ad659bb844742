"""The loss by how much the model has read: at first no reading helps, later the first few tokens help most."""

from pathlib import Path

from data.runs import open_run
from probes.models.logits import loss_by_position
from viz.figures.next_token_figure import draw_context_loss
from viz.output import save

run = open_run()
words = f"{run.name}: loss on validation text by how much was read"
figure = draw_context_loss(loss_by_position(run)["loss"], title="Reading helps", subtitle=words)
save(figure, Path("context_loss.png"))
