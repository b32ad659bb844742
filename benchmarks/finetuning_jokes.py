"""What fine-tuning on jokes brings to a run of one's own: the loss on jokes held out, and on the text it was pre-trained on.

Each row is one way of fine-tuning, over seeds that decide which jokes are held out, too. All are judged alike: each joke by itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from tables import show

from data.runs import Run, open_run
from data.tokens.batches import sequential_windows, window_index
from probes.texts import training_tokens
from trainer.config import TrainConfig
from trainer.finetune.base_snapshot import Base, trainable
from trainer.finetune.finetune_config import LanguageConfig
from trainer.finetune.language_model import LanguageObjective, start
from trainer.loading import Model
from trainer.session import start as train

PLAIN = LanguageConfig(
    learning_rate=1e-3, epochs=4, micro_batch=8, accumulate=1, eval_every=10_000, snapshot_every=10_000, threads=1
)
WAYS: dict[str, tuple[int | None, LanguageConfig]] = {
    "4 epochs at 1e-3": (None, PLAIN),
    "the same, dropout 0.1": (None, dataclasses.replace(PLAIN, dropout=0.1)),
    "the same, seeing across boundaries": (None, dataclasses.replace(PLAIN, mask_boundaries=False)),
    "the same, from the first weights": (0, PLAIN),
    "5 epochs at 3e-5, accumulating 32": (
        None,
        dataclasses.replace(PLAIN, learning_rate=3e-5, epochs=5, micro_batch=1, accumulate=32),
    ),
}


def judged(objective: LanguageObjective) -> float:
    """Return the loss on all jokes held out, none seeing another."""
    alike = dataclasses.replace(objective, config=dataclasses.replace(objective.config, mask_boundaries=True))
    objective.module.eval()
    with torch.no_grad():
        return alike.evaluate(objective.steps)["val_loss_whole"]


def loss_on_base_text(run: Run, model: Model, n_windows: int = 200) -> float:
    """Return the loss on the first windows of the text that the base was judged by."""
    _, tokens = training_tokens(run)
    context = model.config.block_size
    windows = torch.from_numpy(tokens[window_index(sequential_windows(len(tokens), context)[:n_windows], context)])
    with torch.no_grad():
        loss = model.eval()(windows[:, :-1], windows[:, 1:])[1]
    assert loss is not None
    return float(loss)


def found_base(name: str | None, folder: Path) -> Run:
    """Return the base, in a folder of runs that is ours: the run of this name, or one that is trained now."""
    if name is None:
        os.environ["GPTLAB_RUNS"] = str(folder)
        config = TrainConfig(block_size=128, batch_size=16, steps=2000, eval_every=1000, snapshot_every=1000)
        training = train(config, "plays")
        training.go(lambda *_: None)
        return training.run
    there = open_run(name).path.resolve()
    os.symlink(there, folder / name)
    os.environ["GPTLAB_RUNS"] = str(folder)
    return open_run(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", help="a run of English characters; one is trained on the plays if none is given")
    parser.add_argument("--corpus", default="jokes")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--ways", type=int, default=len(WAYS), help="only the first so many rows")
    options = parser.parse_args()
    rows: list[tuple[str, str, str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        base = found_base(options.base, Path(folder))
        for way, (step, config) in list(WAYS.items())[: options.ways]:
            before, after, kept, steps = [], [], [], 0
            for seed in range(1, options.seeds + 1):
                changed = dataclasses.replace(config, seed=seed, corpus=options.corpus)
                tuning = start(changed, base.name if step is None else f"{base.name}@{step}")
                before.append(judged(tuning.objective))
                tuning.go(lambda *_: None)
                after.append(judged(tuning.objective))
                kept.append(loss_on_base_text(base, tuning.objective.model))
                steps = tuning.objective.steps
            spread = f"{np.mean(after):.3f} ± {np.std(after):.3f}"
            rows.append((way, str(steps), f"{np.mean(before):.3f}", spread, f"{np.mean(kept):.3f}"))
        last = trainable(Base(base, base.snapshots()[-1].step))
        rows.append(("no fine-tuning", "0", "", rows[0][2], f"{loss_on_base_text(base, last):.3f}"))
    show(
        f"Fine-tuning {base.name} on {options.corpus}: nats per token, mean and deviation of {options.seeds} seeds",
        ("", "steps", "before", f"{options.corpus} held out", "text of the base"),
        rows,
    )


if __name__ == "__main__":
    main()
