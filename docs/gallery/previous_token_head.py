"""The head that looks most at the token before, found by its score: the weight stands just below the diagonal."""

from pathlib import Path

from data.runs import open_run
from probes.models.attention import attention_maps
from probes.models.heads import head_scores
from viz.figures.attention_figure import draw_head
from viz.figures.head_score_figure import leading_head
from viz.output import save

run = open_run()
score = head_scores(run)["previous_token"]
layer, head = leading_head(score)
maps = attention_maps(run).isel(step=-1, layer=layer, head=head)
title = f"The previous-token head: layer {layer}, head {head}"
words = f"{run.name}: gives {float(score[-1, layer, head]):.0%} of its attention to the token before"
figure = draw_head(maps, title=title, subtitle=words)
save(figure, Path("previous_token_head.png"))
