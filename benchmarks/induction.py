"""Does the induction score mean what it says? A two-layer GPT learns to copy, and the head that scores is taken away.

The text is made of blocks of random symbols, each said twice. Nothing but what came before helps with the second time, so a model
that does well there has learned to look for what it has seen. Shown over training: the highest induction score of a head, the loss
within repeats, and the same loss without that head and without its neighbour in the layer.
"""

from __future__ import annotations

import random
import string
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from tables import show

from data.progress import progress_bar
from data.runs import Run, runs_folder
from probes.models.heads import copying, head_scores
from trainer.config import TrainConfig
from trainer.session import start

# Heads of 64 numbers and 40 symbols: with 32 and 24, a model was seen that copies without any head of a high score.
CONFIG = {"n_layer": 2, "n_head": 2, "n_embd": 128, "block_size": 32, "steps": 1800, "sample_tokens": 1, "threads": 1}
N_SYMBOLS = 40
BLOCK_LENGTHS = (5, 15)


def said_twice(characters: int, seed: int = 0) -> str:
    """Return a text of random blocks, each said twice."""
    draw = random.Random(seed)
    blocks: list[str] = []
    while sum(map(len, blocks)) < characters:
        blocks.append(2 * "".join(draw.choices(string.ascii_letters[:N_SYMBOLS], k=draw.randint(*BLOCK_LENGTHS))))
    return "".join(blocks)


def trained_to_copy(text_file: Path, name: str, steps: int = CONFIG["steps"]) -> Run:
    """Train the model of this benchmark and return its run."""
    text_file.write_text(said_twice(1_000_000), encoding="utf-8")
    config = TrainConfig(**{**CONFIG, "steps": steps, "corpus": str(text_file), "eval_every": 600})
    training = start(config, name)
    with progress_bar("training", steps, "step") as update:
        training.go(update)
    return training.run


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="induction-", dir=_made(runs_folder())) as folder:
        run = trained_to_copy(Path(folder) / "repeats.txt", Path(folder).name)
        scores, losses = head_scores(run), copying(run)
    best = scores["induction"].isel(step=-1).argmax(("layer", "head"))
    other = {"layer": best["layer"], "head": 1 - best["head"]}
    shown = range(0, scores.sizes["step"], 2)
    columns = (
        "step",
        "best induction score",
        "loss in repeats",
        "without that head",
        "without its neighbour",
        "loss elsewhere",
    )
    show(
        f"Copying and induction (layer {int(best['layer'])}, head {int(best['head'])}); ln {N_SYMBOLS} = {np.log(N_SYMBOLS):.2f}",
        columns,
        [_row(scores.isel(step=i), losses.isel(step=i), best, other) for i in shown],
    )


def _row(scores: xr.Dataset, losses: xr.Dataset, best: dict[str, int], other: dict[str, int]) -> tuple[object, ...]:
    without = losses["loss_without"]
    values = (scores["induction"].max(), losses["loss"], without.isel(best), without.isel(other), losses["loss_before"])
    return (f"{int(scores['step']):,}", *(float(value) for value in values))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
