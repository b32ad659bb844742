"""Characters against sub-words, in bits per character: all runs trained on the newest run's text, whatever their tokens are."""

import gptlab as gl
import viz

text = gl.open_run().info["corpus"]
runs = [run for run in gl.list_runs() if run.info.get("corpus", {}).get("sha256") == text["sha256"]][-7:]
words = "validation loss in bits per character, because a loss per token would favour small tokens"
slide = viz.draw_compared([viz.bits_curve(run) for run in runs], title=f"Who predicts {text['name']} best?", subtitle=words)
viz.save_figure(slide, "characters_or_subwords.png")
