"""Training of the preset gpu on a graphics card: steps a second by precision and compilation, the loss, and nanoGPT's own script beside it.

Where there is no such device, it says so and ends. With ``--nanogpt FOLDER``, a clone of nanoGPT, its ``train.py`` trains a model of the
same shape on the same text and card, compiled or not; its data are written to a temporary folder in its own format. Everything together
is meant to take at most six minutes, of which the training to the last step takes most (``--steps 0`` leaves it out).
"""

from __future__ import annotations

import argparse
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from recipe import final_loss
from tables import show

from data.corpora.catalog import Corpus, load_corpus
from data.tokens.batches import split_tokens
from data.tokens.tokenizers import CharTokenizer
from trainer.config import PRESETS, TrainConfig
from trainer.loop import take_step
from trainer.session import Session, build

WARM_UP = 30  # steps; the first ones compile
REPORTED = re.compile(r"^iter \d+: loss [\d.]+, time ([\d.]+)ms", re.MULTILINE)


def session(preset: str, corpus: Corpus, device: str, precision: str, is_compiled: bool, **fields: int) -> Session:
    """Build a training of a preset on a device."""
    form = {"corpus": corpus.name, "device": device, "precision": precision, "compile": is_compiled}
    fields = PRESETS[preset] | form | fields
    return build(TrainConfig(preset=preset, **fields), corpus)


def wait(device: str) -> None:
    """Wait until the device has done its work."""
    if device == "cuda":
        torch.cuda.synchronize()


def steps_a_second(trained: Session, steps: int, device: str) -> float:
    """Time steps in a row, after some to warm up."""
    trained.model.train()
    for step in range(WARM_UP):
        take_step(trained, step)
    wait(device)
    started = time.perf_counter()
    for step in range(WARM_UP, WARM_UP + steps):
        take_step(trained, step)
    wait(device)
    return steps / (time.perf_counter() - started)


def show_rates(options: argparse.Namespace, corpora: list[Corpus]) -> None:
    """Show the steps a second of all forms of training, for each text."""
    rows = []
    for precision, is_compiled in (("float32", False), ("bf16", False), ("float32", True), ("bf16", True)):
        if is_compiled and options.no_compile:
            continue
        name = f"{precision}{', compiled' if is_compiled else ''}"
        rates = [
            steps_a_second(
                session(options.preset, corpus, options.device, precision, is_compiled),
                options.timed_steps,
                options.device,
            )
            for corpus in corpora
        ]
        rows.append((name, *rates))
    columns = ("form", *(corpus.name for corpus in corpora))
    show(f"Steps a second, preset {options.preset}, recipe best, {options.device}", columns, rows)


def write_nanogpt_data(corpus: Corpus, folder: Path, block_size: int) -> None:
    """Write a text as nanoGPT's character data sets: train.bin, val.bin and meta.pkl."""
    tokenizer = CharTokenizer.from_text(corpus.text)
    folder.mkdir()
    for name, tokens in zip(("train", "val"), split_tokens(tokenizer, corpus.text, block_size), strict=True):
        np.asarray(tokens, dtype=np.uint16).tofile(folder / f"{name}.bin")
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": tokenizer.vocab_size}))


def nanogpt_rate(options: argparse.Namespace, corpus: Corpus, dtype: str, is_compiled: bool) -> float:
    """Run nanoGPT's script on a text; return the steps a second of its last reports, by their median."""
    config = TrainConfig(preset=options.preset, **PRESETS[options.preset])
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "nanogpt"
        clone.mkdir()
        for name in ("train.py", "model.py", "configurator.py"):
            (clone / name).write_bytes((options.nanogpt / name).read_bytes())
        (clone / "data").mkdir()
        write_nanogpt_data(corpus, clone / "data" / "text", config.block_size)
        settings = {
            "dataset": "text",
            "device": options.device,
            "dtype": dtype,
            "compile": is_compiled,
            "n_layer": config.n_layer,
            "n_head": config.n_head,
            "n_embd": config.n_embd,
            "block_size": config.block_size,
            "batch_size": config.batch_size,
            "gradient_accumulation_steps": 1,
            "dropout": config.dropout,
            "max_iters": WARM_UP + options.timed_steps,
            "eval_interval": 100_000,
            "eval_iters": 1,
            "log_interval": 10,
        }
        command = [sys.executable, "train.py", *(f"--{name}={value}" for name, value in settings.items())]
        done = subprocess.run(command, cwd=clone, env=os.environ, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"nanoGPT's train.py failed: {done.stderr.strip().splitlines()[-1:]}")
    reported = [float(ms) for ms in REPORTED.findall(done.stdout)]
    return 1000 / statistics.median(reported[len(reported) // 3 :])


def show_nanogpt(options: argparse.Namespace, corpora: list[Corpus]) -> None:
    """Show the steps a second of nanoGPT's own script, for each text."""
    rows = []
    for dtype, is_compiled in (("float32", False), ("bfloat16", False), ("bfloat16", True)):
        if is_compiled and options.no_compile:
            continue
        name = f"{dtype}{', compiled' if is_compiled else ''}"
        rows.append((name, *(nanogpt_rate(options, corpus, dtype, is_compiled) for corpus in corpora)))
    columns = ("form", *(corpus.name for corpus in corpora))
    show(f"Steps a second, nanoGPT's train.py, same shape, AdamW, {options.device}", columns, rows)


def show_losses(options: argparse.Namespace, corpora: list[Corpus]) -> None:
    """Train to the end in bf16 and show the loss on the whole validation split."""
    rows = []
    for corpus in corpora:
        form = options.device, "bf16", not options.no_compile
        trained = session(options.preset, corpus, *form, steps=options.steps)
        started = time.perf_counter()
        loss = final_loss(trained)
        rows.append((corpus.name, options.steps, f"{loss:.4f}", time.perf_counter() - started))
    show("Validation loss, whole split, bf16", ("text", "steps", "nats per character", "seconds"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--preset", default="gpu", choices=PRESETS)
    parser.add_argument("--corpora", nargs="*", default=["machado", "tinyshakespeare"])
    parser.add_argument("--steps", type=int, default=5000, help="of the training to the end; 0 leaves it out")
    parser.add_argument("--timed-steps", type=int, default=100)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--nanogpt", type=Path, help="a clone of nanoGPT, to be timed on the same card")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device here; nothing was measured.")
        return
    corpora = [load_corpus(name) for name in options.corpora]
    show_rates(options, corpora)
    if options.nanogpt:
        show_nanogpt(options, corpora)
    if options.steps:
        show_losses(options, corpora)


if __name__ == "__main__":
    main()
