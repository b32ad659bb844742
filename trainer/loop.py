"""The training loop: steps, evaluations, samples and snapshots, and what makes it stoppable at any moment."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from data.corpora.catalog import Corpus, load_corpus
from data.errors import InputError
from data.runs import Run, create_run, rewind, runs_folder, write_snapshot
from data.runs.atomic_files import append_line, write_json
from data.tokens.bits import bits_per_character
from data.tokens.tokenizers import known_part
from trainer import checkpoint
from trainer.config import RESUMABLE, TrainConfig, check, eval_steps, filled, snapshot_steps, trained_config
from trainer.generation.sampling import generate_tokens
from trainer.optimizers.recipes import apply_schedule, average, clip
from trainer.session import Session, build, check_disk, describe, recipe

ReportStep = Callable[[int, str | None], None]
"""``report(step, note)``: called after every step; the note is new at evaluations and None between."""

SAMPLE_TEMPERATURE = 0.8


class Stopped(Exception):
    """The training was asked to stop; what it needs to go on from ``step`` is saved."""

    def __init__(self, step: int):
        super().__init__(f"stopped at step {step}")
        self.step = step


@dataclass
class StopFlag:
    """A wish to stop, seen at the end of the step under way."""

    to_stop: bool = False


@dataclass(frozen=True)
class Training:
    """A run and the session that writes it, ready to go on from ``step``, after ``seconds`` of training before."""

    run: Run
    session: Session
    step: int = 0
    seconds: float = 0.0

    def go(self, report: ReportStep) -> float:
        """Train to the last step; return the loss on the whole validation split.

        Raises
        ------
        Stopped
            If Ctrl-C asked for it, after the step under way.
        InputError
            If the loss is no longer a number.
        """
        with stop_on_interrupt() as wish, own_random_state(self.session.device):
            return _train(self, report, wish)


def start(config: TrainConfig, name: str | None = None, corpus_dir: Path | None = None) -> Training:
    """Make a new run: everything but the first step.

    Raises
    ------
    InputError
        If the configuration cannot be trained, the corpus cannot be had or is shorter than a context, the name is taken, or the
        disk is too full.
    """
    config = check(config)
    corpus = load_corpus(config.corpus, corpus_dir)
    session = build(config, corpus)
    check_disk(session, runs_folder())
    run = create_run(name or free_name(f"{config.preset}-{corpus.name}"), describe(session, corpus))
    return Training(run, session)


def resume(run: Run, config: TrainConfig, corpus_dir: Path | None = None) -> Training:
    """Take up a run where it stopped, with a configuration that may differ in the fields of `trainer.config.RESUMABLE`.

    Raises
    ------
    InputError
        If it differs in another field, the corpus is not the one it was trained on, or it is beyond the last step.
    """
    before, config = trained_config(run), filled(config)
    changed = [f.name for f in dataclasses.fields(config) if getattr(config, f.name) != getattr(before, f.name)]
    if fixed := [name for name in changed if name not in RESUMABLE]:
        raise InputError(f"a resumed run keeps its {', '.join(fixed)}: leave that out, or train a new run")
    corpus = _same_corpus(run, config, corpus_dir)
    session = build(
        dataclasses.replace(check(config), threads=config.threads or run.info["threads"]), corpus, run.tokenizer
    )
    slot = checkpoint.load(run, session)
    if slot is None or slot.step == 0:  # stopped before anything was saved: the seed gives the same beginning again
        rewind(run, -1)
        return Training(run, session)
    if slot.step > config.steps:
        raise InputError(f"run {run.name!r} is at step {slot.step:,} already: pass --steps {slot.step} or more")
    rewind(run, slot.step)
    if changed:
        write_json(run.path / "run.json", run.info | {"training": dataclasses.asdict(config)})
    return Training(run, session, slot.step, slot.seconds)


def _train(training: Training, report: ReportStep, wish: StopFlag) -> float:
    run, session, config = training.run, training.session, training.session.config
    snapshots, evaluations = set(snapshot_steps(config)), set(eval_steps(config))
    clock = TrainingClock(training.seconds)
    session.model.train()
    for step in range(training.step, config.steps + 1):
        is_new = step > training.step or step == 0  # what stands at the step of a resumed run was written before
        val_loss = session.whole_validation_loss() if step == config.steps else math.nan
        if is_new and step in snapshots:
            write_snapshot(run, step, session.weights())
        report(
            step, _evaluate(run, session, step, clock.seconds(), val_loss) if is_new and step in evaluations else None
        )
        is_last = step == config.steps or wish.to_stop
        if is_last or (step in snapshots and clock.since_mark() >= config.resume_every):
            checkpoint.save(run, step, clock.seconds(), session)
            clock.mark()
        if step == config.steps:
            return val_loss
        if wish.to_stop:
            raise Stopped(step)
        take_step(session, step)
    raise AssertionError("the last step returns")


class TrainingClock:
    """Seconds of training, those before a resume included, and seconds since the last mark."""

    def __init__(self, before: float):
        self._begun = self._marked = time.perf_counter()
        self._before = before

    def seconds(self) -> float:
        return self._before + time.perf_counter() - self._begun

    def since_mark(self) -> float:
        return time.perf_counter() - self._marked

    def mark(self) -> None:
        self._marked = time.perf_counter()


def take_step(session: Session, step: int) -> None:
    """Make one optimizer step: from the weights of ``step`` to those of ``step + 1``."""
    if session.config.dropout:
        seed_dropout(session.config.seed, step)
    plan = recipe(session.config)
    apply_schedule(session.optimizers, plan, step, session.config.steps, session.config.learning_rate_scale)
    _, loss = session.forward(*session.batch(step))
    loss.backward()
    clip(session.model, plan)
    for optimizer in session.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    average(session.averaged, session.model, plan, step)


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """Turn the first Ctrl-C into a wish to stop after the step under way; the second one stops at once."""
    wish = StopFlag()
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield wish
        return

    def note(*_: object) -> None:
        if wish.to_stop:
            raise KeyboardInterrupt
        wish.to_stop = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, before)


def _evaluate(run: Run, session: Session, step: int, seconds: float, whole: float) -> str:
    """Measure the losses and sample a text; return a note for the progress bar."""
    config = session.config
    n_batches = config.eval_batches or recipe(config).eval_batches
    train_loss, val_loss = (session.loss(tokens, n_batches) for tokens in (session.train_tokens, session.val_tokens))
    if not math.isfinite(train_loss):
        raise InputError(f"the loss is no longer a number at step {step}: train again with --learning-rate-scale 0.3")
    record = {
        "step": step,
        "train_loss": train_loss,
        "val_loss": val_loss,
        "lr": session.optimizers[0].param_groups[0]["lr"] if step else 0.0,
        "tokens": step * config.batch_size * config.block_size,
        "seconds": round(seconds, 3),
    }
    if not math.isnan(whole):
        record |= {"val_loss_whole": whole, "val_bits_per_character": bits_per_character(whole, *session.foretold)}
    append_line(run.path / "metrics.jsonl", record)
    append_line(run.path / "samples.jsonl", {"step": step, **_sample(session, step)})
    return f"train {train_loss:.3f}  val {val_loss:.3f}"


def _sample(session: Session, step: int) -> dict[str, object]:
    config, tokenizer = session.config, session.tokenizer
    known = known_part(tokenizer, config.sample_prompt) or tokenizer.decode([0])
    prompt = torch.from_numpy(tokenizer.encode(known)).to(session.device)
    ids = generate_tokens(
        session.averaged, prompt, config.sample_tokens, temperature=SAMPLE_TEMPERATURE, seed=config.seed + step
    )
    text = tokenizer.decode(ids[len(prompt) :].cpu().numpy())
    return {"prompt": known, "text": text, "temperature": SAMPLE_TEMPERATURE, "seed": config.seed + step}


def _same_corpus(run: Run, config: TrainConfig, corpus_dir: Path | None) -> Corpus:
    corpus = load_corpus(config.corpus, corpus_dir)
    if corpus.sha256 != run.info["corpus"]["sha256"]:
        raise InputError(
            f"the corpus {config.corpus} is no longer the text that run {run.name!r} was trained on: it cannot be resumed"
        )
    return corpus


def free_name(wanted: str) -> str:
    """Return ``wanted``, or the first of ``wanted-2``, ``wanted-3`` and so on that no run has."""
    names = (f"{wanted}-{number}" if number > 1 else wanted for number in range(1, 10_000))
    return next(name for name in names if not (runs_folder() / name).exists())


def seed_dropout(seed: int, step: int) -> None:
    """Let the dropout of a step follow from (seed, step), so that a resumed run drops the same."""
    # On a CPU torch heeds only the lower 32 bits of a seed, so the two are hashed into as many.
    torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))


@contextlib.contextmanager
def own_random_state(device: torch.device) -> Iterator[None]:
    """Leave the caller's random state as it was: dropout seeds the global one at every step."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
