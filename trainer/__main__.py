"""python -m trainer: train a GPT and write a run."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from data.commands import one_line_mistakes, parse, write_options
from data.errors import InputError
from data.runs import Run, open_run
from trainer.config import TrainConfig, base_config, first_pass
from trainer.parallel.torchrun import is_launched, one_command, resume_command

if TYPE_CHECKING:
    from trainer.session import Session

PROG = "python -m trainer"


@dataclass(frozen=True)
class TrainArguments(TrainConfig):
    """Train a GPT on a text and write a run: losses, samples and snapshots of the weights.

    A value given here takes precedence over the TOML file (--config), and the file over the preset.
    """

    run: Annotated[str | None, tyro.conf.arg(aliases=("--run-name",))] = None
    """Name of the run; made from preset and corpus if not given. With --resume: the run to resume (default: the newest)."""
    log: Annotated[str | None, tyro.conf.arg(aliases=("--log-to",))] = None
    """Log to tensorboard, wandb or trackio too, or to several with commas between; metrics.jsonl is always written."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Resume a run that was stopped."""
    config: Path | None = None
    """A TOML file whose keys are the options of this command (n_layer = 4)."""
    corpus_dir: Path | None = None
    """A folder where corpora are looked for first (like $GPTLAB_DATA)."""


def default_config(args: list[str]) -> TrainConfig:
    """Build the configuration that a command line changes: that of the run to resume, or of preset and TOML file."""
    first = first_pass(TrainArguments(preset=""), args)  # no preset: the file may name one
    return base_config(first.preset, first.config, _run_to_resume(first.run) if first.resume else None)


def _run_to_resume(name: str | None) -> Run:
    """Open the run to resume; where several processes train and it is not named, that which is the newest for the first of them."""
    if is_launched():
        from trainer.parallel.processes import first_decides

        name = first_decides(lambda: open_run(name).name)
    return open_run(name)


def main(args: list[str]) -> int:
    default = TrainArguments(**dataclasses.asdict(default_config(args)))
    parsed: TrainArguments = parse(TrainArguments, prog=PROG, args=args, default=default)
    config = TrainConfig(**{field.name: getattr(parsed, field.name) for field in dataclasses.fields(TrainConfig)})
    from data.tokens.bits import bits_per_character
    from trainer.loop import describe_standstill
    from trainer.loop.stopping import Stopped
    from trainer.parallel.model_forms import compile_ahead
    from trainer.parallel.processes import is_first
    from trainer.session import resume_training, start

    if parsed.resume:
        training = resume_training(_run_to_resume(parsed.run), config, parsed.corpus_dir)
    else:
        training = start(config, parsed.run, parsed.corpus_dir)
    run, session = training.run, training.objective
    corpus, n_tokens = run.info["corpus"], session.tokenizer.vocab_size
    print(
        f"run {run.name}: {session.model.count_parameters():,} parameters, {corpus['name']} "
        f"({corpus['characters']:,} characters, {n_tokens:,} tokens), {session.device}",
        flush=True,
    )
    _announce_steps(session)
    if config.compile:
        print("compiling the model, which may take minutes", flush=True)
        print(f"compiled in {compile_ahead(session):.1f} s", flush=True)
    try:
        measured = training.go()
    except Stopped as stopped:
        print(f"stopped at step {stopped.step:,}; resume with  {resume_command(PROG, run.name)}")
        return stopped.exit_status
    if not is_first():  # which writes the run, perhaps on another machine
        return 0
    loss = f"{measured['val_loss_whole']:.4f} nats per token"
    bits = bits_per_character(measured["val_loss_whole"], *session.validation_size)
    print(f"validation loss {loss}, {bits:.3f} bits per character, on the whole validation split")
    if config.steps and (standstill := describe_standstill(run)):
        print(standstill)
    print(f"wrote {len(run.snapshots())} snapshots to {run.path}; draw them with  python -m viz.video --run {run.name}")
    return 0


def _announce_steps(session: Session) -> None:
    """Print the number of steps and the highest learning rate, with a warning if the warm-up keeps it below half of the recipe's."""
    from trainer.loop import highest_rate
    from trainer.session import find_recipe

    recipe, highest = find_recipe(session.config), highest_rate(session)
    peak = recipe.learning_rate * session.config.learning_rate_scale
    print(f"{session.steps:,} steps, learning rate up to {highest:.1e}", flush=True)
    if session.steps and highest < min(peak, recipe.learning_rate) / 2:
        low = f"the learning rate stays below half of its peak {peak:.1e}, since the warm-up takes {recipe.warmup_steps} steps"
        advice = InputError(f"{low}: pass `steps={3 * recipe.warmup_steps}` or more, or a higher `learning_rate_scale`")
        print(f"{PROG}: warning: {write_options(advice, TrainArguments)}", file=sys.stderr)


if __name__ == "__main__":
    with one_line_mistakes(PROG, TrainArguments), one_command(PROG):
        raise SystemExit(main(sys.argv[1:]))
