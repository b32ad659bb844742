"""How long sub-words take: learning them, cutting a book into them, and a training step of the presets with and without them.

Target: a book of 1.7 million characters is cut within two seconds. Whole texts cut by Hugging Face's `tokenizers` are shown beside it.
The steps take turns, a few in a row each; minutes are those of the preset's steps alone, without evaluations and snapshots.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from tables import show
from training_step import step, take_turns

from data.corpora.catalog import load_corpus
from data.tokens.batches import split_text
from data.tokens.subwords import SubwordTokenizer
from data.tokens.vocabularies import learn_bpe
from trainer.config import preset
from trainer.session import build


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Return the median of the seconds that a work takes."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def by_library(tokenizer: SubwordTokenizer, text: str) -> None:
    """Cut a whole text in one call of the library."""
    from tokenizers import Tokenizer

    _ = Tokenizer.from_str(tokenizer.definition).encode(text, add_special_tokens=False).ids


def show_tokenizers(name: str) -> None:
    """Print how long it takes to learn sub-words from a corpus, and to cut it."""
    text, rows = load_corpus(name).text, []
    for size in (512, 2048, 8192):
        started = time.perf_counter()
        tokenizer = learn_bpe(split_text(text)[0], size)
        learning, ids = time.perf_counter() - started, tokenizer.encode(text)
        cutting, decoding = seconds(lambda t=tokenizer: t.encode(text)), seconds(lambda t=tokenizer, i=ids: t.decode(i))
        library = seconds(lambda t=tokenizer: by_library(t, text), times=1)
        rows.append((f"{size:,}", learning, cutting, library, decoding, f"{len(text) / len(ids):.2f}"))
    columns = ("sub-words", "learn s", "cut s", "library, whole s", "join s", "characters a token")
    show(f"Sub-words of {name} ({len(text):,} characters)", columns, rows)


def show_steps(name: str, threads: int, rounds: int) -> None:
    """Print how long a step of the presets takes, and what all steps come to."""
    import torch

    torch.set_num_threads(threads)
    corpus = load_corpus(name)
    sessions = {
        kind: build(replace(preset(kind), corpus=name, threads=threads, device="cpu"), corpus)
        for kind in ("cpu", "cpu-bpe")
    }
    taken = take_turns({kind: step(session) for kind, session in sessions.items()}, rounds)
    rows = []
    for kind, session in sessions.items():
        usual = statistics.median(taken[kind])
        minutes = usual * session.config.steps / 60_000
        parameters = f"{session.model.count_parameters():,}"
        rows.append((kind, parameters, f"{session.config.steps:,}", f"{usual:.1f}", f"{minutes:.1f}"))
    show(f"Steps of the presets, {threads} threads", ("preset", "parameters", "steps", "ms a step", "minutes"), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="machado")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    show_tokenizers(options.corpus)
    show_steps(options.corpus, options.threads, options.rounds)
