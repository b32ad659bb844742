"""What the model would put next, and what it would have put at earlier snapshots: from near evenness to a few that fit."""

from pathlib import Path

from data.runs import open_run
from probes.models.logits import next_token_distribution
from viz.figures.next_token_figure import draw_next_token
from viz.output import save

run = open_run()
prompt = run.samples()[-1]["text"][:5]
found = next_token_distribution(run, prompt)
figure = draw_next_token(found, prompt, title="What comes next?", subtitle=f"Probabilities in {run.name}")
save(figure, Path("next_token.png"))
