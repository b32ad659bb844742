"""Characters against sub-words, in bits per character: all runs trained on the newest run's text, whatever their tokens are."""

from pathlib import Path

import gptlab as gl
import viz

text = gl.open_run().info["corpus"]
runs = [run for run in gl.list_runs() if run.info.get("corpus", {}).get("sha256") == text["sha256"]][-7:]
words = "validation loss in bits per character; a loss per token would favour small tokens"
curves = [viz.bits_curve(run) for run in runs]
figure = viz.draw_compared(curves, title=f"Who predicts {text['name']} best?", subtitle=words)
viz.save(figure, Path("characters_or_subwords.png"))
