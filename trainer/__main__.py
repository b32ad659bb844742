"""python -m trainer: train a GPT and write a run."""

from __future__ import annotations

import dataclasses
import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from data.commands import EXIT_INTERRUPTED, one_line_mistakes, parse
from data.progress import progress_bar
from data.runs import open_run
from data.tokens.bits import bits_per_character
from trainer.config import TrainConfig, from_toml, preset, trained_config

PROG = "python -m trainer"


@dataclass(frozen=True)
class TrainArguments(TrainConfig):
    """Train a GPT on a text and write a run: losses, samples and snapshots of the weights.

    A value given here wins over the TOML file (--config), the file over the preset.
    """

    run: str | None = None
    """Name of the run; made from preset and corpus if not given. With --resume: the run to go on with (default: the newest)."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Go on with a run that was stopped."""
    config: Path | None = None
    """A TOML file whose keys are the options of this command (n_layer = 4)."""
    corpus_dir: Path | None = None
    """A folder where corpora are looked for first (like $GPTLAB_DATA)."""


@dataclass(frozen=True)
class EarlyTrainArguments:
    """What decides the defaults of the other options."""

    preset: str | None = None
    config: Path | None = None
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    run: str | None = None


def base_config(args: list[str]) -> TrainConfig:
    """Return the configuration that the command line changes: that of the run to resume, or of preset and TOML file."""
    try:
        first, _ = tyro.cli(
            EarlyTrainArguments, args=args, return_unknown_args=True, add_help=False, console_outputs=False
        )
    except SystemExit:  # a mistake in one of these; the whole parse that follows tells it
        return TrainConfig()
    if first.resume:
        return trained_config(open_run(first.run))
    if first.config is not None:
        return from_toml(first.config, preset(first.preset) if first.preset else None)
    return preset(first.preset or TrainConfig.preset)


def main(args: list[str]) -> int:
    base = base_config(args)
    parsed: TrainArguments = parse(
        TrainArguments, prog=PROG, args=args, default=TrainArguments(**dataclasses.asdict(base))
    )
    config = TrainConfig(**{field.name: getattr(parsed, field.name) for field in dataclasses.fields(TrainConfig)})
    from trainer.loop import Stopped, resume, start

    begin = (
        functools.partial(resume, open_run(parsed.run)) if parsed.resume else functools.partial(start, name=parsed.run)
    )
    training = begin(config, corpus_dir=parsed.corpus_dir)
    run, session = training.run, training.session
    print(
        f"run {run.name}: {session.model.count_parameters():,} parameters, {run.info['corpus']['name']} "
        f"({run.info['corpus']['characters']:,} characters, {session.tokenizer.vocab_size:,} tokens), {session.device}",
        flush=True,
    )
    try:
        with progress_bar("training", config.steps, "step", start=training.step) as update:
            val_loss = training.go(update)
    except Stopped as stopped:
        print(f"stopped at step {stopped.step:,}; go on with  {PROG} --resume --run {run.name}")
        return EXIT_INTERRUPTED
    bits = bits_per_character(val_loss, *session.foretold)
    print(
        f"validation loss {val_loss:.4f} nats per token, {bits:.3f} bits per character, on the whole validation split"
    )
    print(f"wrote {len(run.snapshots())} snapshots to {run.path}; draw them with  python -m viz.video --run {run.name}")
    return 0


if __name__ == "__main__":
    with one_line_mistakes(PROG, TrainArguments):
        raise SystemExit(main(sys.argv[1:]))
