"""Probes: what attention maps cost and where the time goes, all probes together, and 1000 snapshots against 50.

Targets: attention maps of a 32-token prompt over 58 snapshots of the cpu preset under 1 s; all probes over them under 20 s on
2 cores; time linear in the snapshots, and peak memory for 1000 at most 1.2 times that for 50; an attention film in 1080p at
24 frames a second or more, reading included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from film import film, made_tokens
from tables import show

from data.runs import Run, create_run, write_snapshot
from probes.models.attention import attention_maps
from probes.models.observation import observe
from probes.registry import PROBES, ProbeRequest, measure
from probes.texts import encode_prompt
from trainer.config import ModelConfig
from trainer.loading import blank_model, load_weights
from trainer.model import GPT

SHAPE = ModelConfig(vocab_size=115, block_size=32, n_layer=4, n_head=4, n_embd=64)
PROMPT = "".join(made_tokens()[:32])
REPEATS = 5


def made_run(folder: Path, n_snapshots: int, text: Path) -> Run:
    """Write a run of the cpu preset's shape whose weights wander."""
    symbols = made_tokens()
    info = {
        "parameters": 207_936,
        "model": {
            name: getattr(SHAPE, name)
            for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd", "dropout")
        },
        "training": {"corpus": str(text)},
        "corpus": {"name": "made", "characters": 0, "sha256": _sha256(text)},
        "tokenizer": {"kind": "char", "symbols": symbols},
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
    }
    run = create_run(f"made-{n_snapshots}", info, folder)
    torch.manual_seed(0)
    weights = {name: p.detach().numpy() for name, p in GPT(SHAPE).named_parameters()}
    random = np.random.default_rng(0)
    for i in range(n_snapshots):
        write_snapshot(run, 100 * i, weights)
        weights = {name: (w + 0.003 * random.normal(size=w.shape)).astype(np.float32) for name, w in weights.items()}
    return run


def maps_by_part(run: Run) -> dict[str, float]:
    """Return the seconds that each part of the attention maps takes by itself, medians, and those of the whole."""
    ids = torch.from_numpy(encode_prompt(run, PROMPT).ids)[None]
    tensors = [snapshot.tensors() for snapshot in run.snapshots()]
    model = blank_model(run)
    attention = observe(model, ids, attention=True).attention

    def load_and_look() -> None:
        for one in tensors:
            load_weights(model, one, "snapshot")
            observe(model, ids, attention=True)

    def assemble() -> None:
        np.stack([torch.cat(attention).numpy() for _ in tensors])

    parts = {
        "reading and checking": lambda: [None for _ in run.sound_tensors()],
        "weights into the model, forward": load_and_look,
        "assembling": assemble,
        "all of it": lambda: attention_maps(run, PROMPT),
    }
    return {name: float(np.median([_seconds(work) for _ in range(REPEATS)])) for name, work in parts.items()}


def peak_mb(folder: Path, run: str, name: str) -> float:
    """Return the peak memory of a process that computes one measure.

    The process reads its own mark: what wait4 reports begins with the memory of this one, which it was forked from.
    """
    script = (
        "from data.runs import open_run; from probes.registry import ProbeRequest, measure\n"
        f"measure(open_run({run!r}), {name!r}, ProbeRequest(prompt={PROMPT!r}, token='a'))\n"
        "print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0].split()[1])"
    )
    environment = {**os.environ, "GPTLAB_RUNS": str(folder)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def _seconds(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        text = folder / "made.txt"
        text.write_text("".join(np.random.default_rng(0).choice(list(made_tokens()), 60_000)), encoding="utf-8")
        runs = {n: made_run(folder, n, text) for n in (58, 50, 1000)}
        attention_maps(runs[58], PROMPT)  # what is done once, done
        rows = [(name, 1000 * seconds) for name, seconds in maps_by_part(runs[58]).items()]
        show("Attention maps of 32 tokens over 58 snapshots, cpu preset", ("", "ms"), rows)

        asked = ProbeRequest(prompt=PROMPT, token="a", highlight=("digits",))
        each = {name: _seconds(lambda name=name: measure(runs[58], name, asked)) for name in PROBES}
        rows = [*((name, seconds) for name, seconds in each.items()), ("all of them", sum(each.values()))]
        show("Every probe over 58 snapshots, cpu preset", ("", "seconds"), rows)

        rows = []
        for name in ("attention", "heads", "token-geometry", "lens"):
            seconds = {n: _seconds(lambda n=n, name=name: measure(runs[n], name, asked)) for n in (50, 1000)}
            memory = {n: peak_mb(folder, f"made-{n}", name) for n in (50, 1000)}
            rows.append((name, seconds[1000] / seconds[50] / 20, memory[50], memory[1000], memory[1000] / memory[50]))
        show("1000 snapshots against 50", ("", "time a snapshot, ratio", "MB, 50", "MB, 1000", "ratio"), rows)

        shown = film(folder, "made-58", "--what", "attention", "--prompt", PROMPT, highlight=None)
        large = film(
            folder, "made-58", "--what", "attention", "--prompt", PROMPT, "--layer", "0", "--head", "0", highlight=None
        )
        rows = [
            (name, f.frames, f.seconds, f.frames / f.seconds)
            for name, f in (("layers by heads", shown), ("one head", large))
        ]
        show(
            "Attention film, 58 snapshots, 1080p, mp4 and gif, end to end", ("", "frames", "seconds", "frames/s"), rows
        )


if __name__ == "__main__":
    main()
