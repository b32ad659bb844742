"""Which token each layer would put next if it were the last: near the embeddings the one just read, higher up the one to come."""

from pathlib import Path

from data.runs import open_run
from probes.models.logits import logit_lens
from viz.figures.next_token_figure import draw_lens
from viz.output import save

run = open_run()
lens = logit_lens(run)
tokens = [str(token) for token in lens["prompt_token"].values]
figure = draw_lens(lens, tokens, title="Guessing layer by layer", subtitle=f"{run.name}, through the logit lens")
save(figure, Path("logit_lens.png"))
