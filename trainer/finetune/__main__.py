"""python -m trainer.finetune: go on from the weights of a run with documents, jokes for example, and write a run."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from data.commands import EXIT_INTERRUPTED, one_line_mistakes, parse
from data.errors import InputError
from data.progress import progress_bar
from data.runs import Run, open_run
from trainer.finetune.finetune_config import LanguageConfig, plan

if TYPE_CHECKING:
    from trainer.finetune.tuning import Tuning

PROG = "python -m trainer.finetune"
MOST_SYMBOLS = 12


@dataclass(frozen=True)
class FinetuneArguments(LanguageConfig):
    """Fine-tune a language model on documents: jokes, a column of a table, the paragraphs of a text.

    Documents are packed into rows, and the model learns to foretell each token. The new run begins with the weights of the model, so
    that films and probes show what fine-tuning moves.
    """

    model: str | None = None
    """What to begin with: a run's name, or RUN@STEP, or a model's folder, which becomes a run; the newest run if not given."""
    run: str | None = None
    """Name of the new run; made from those of model and corpus if not given. With --resume: the run to go on with."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Go on with a fine-tuning that was stopped."""
    corpus_dir: Path | None = None
    """A folder where corpora are looked for first (like $GPTLAB_DATA)."""


@dataclass(frozen=True)
class EarlyFinetuneArguments:
    """What decides the defaults of the other options."""

    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    run: str | None = None


def main(args: list[str]) -> int:
    base = _base_config(args)
    parsed: FinetuneArguments = parse(
        FinetuneArguments, prog=PROG, args=args, default=FinetuneArguments(**dataclasses.asdict(base))
    )
    config = LanguageConfig(**{field.name: getattr(parsed, field.name) for field in dataclasses.fields(LanguageConfig)})
    from trainer.finetune.language_model import resume, start
    from trainer.loop import Stopped

    if parsed.resume:
        if parsed.model is not None:
            raise InputError(f"a resumed run goes on from its own weights, not from {parsed.model}: leave --model out")
        tuning = resume(open_run(parsed.run), config, corpus_dir=parsed.corpus_dir)
    else:
        tuning = start(config, parsed.model, name=parsed.run, corpus_dir=parsed.corpus_dir)
    _introduce(tuning)
    try:
        with progress_bar("fine-tuning", tuning.steps, "step", start=tuning.step) as update:
            tuning.go(update)
    except Stopped as stopped:
        print(f"stopped at step {stopped.step:,}; go on with  {PROG} --resume --run {tuning.run.name}")
        return EXIT_INTERRUPTED
    _conclude(tuning.run)
    return 0


def _base_config(args: list[str]) -> LanguageConfig:
    """Return the configuration that the command line changes: that of the run to resume, or the usual one."""
    try:
        first, _ = tyro.cli(
            EarlyFinetuneArguments, args=args, return_unknown_args=True, add_help=False, console_outputs=False
        )
    except SystemExit:  # a mistake in one of these; the whole parse that follows tells it
        return LanguageConfig()
    if not first.resume:
        return LanguageConfig()
    from trainer.finetune.language_model import tuned_config

    return tuned_config(open_run(first.run))


def _introduce(tuning: Tuning) -> None:
    info, config = tuning.run.info, tuning.config
    corpus, base = info["corpus"], info["base"]
    counts = corpus["documents"]
    print(
        f"run {tuning.run.name}: {info['parameters']:,} parameters, from step {base['step']:,} of {base['run']}; "
        f"{counts['learned']:,} documents of {corpus['name']} to learn from, {counts['held_out']:,} to judge by, {tuning.device}"
    )
    for line in _left_out(counts, info["training"]["length"]):
        print(line)
    warmup = plan(config, tuning.steps).warmup_steps
    print(
        f"{tuning.steps:,} steps of {config.micro_batch * config.accumulate} rows, up to {info['training']['length']} tokens each; "
        f"learning rate up to {config.learning_rate:.1e}, warm-up {warmup:,} steps",
        flush=True,
    )


def _left_out(counts: Mapping[str, Any], length: int) -> list[str]:
    """Return a line for each kind of thing that was left out."""
    said = []
    if counts["skipped"]:
        said.append(f"skipped {counts['skipped']:,} documents longer than {length} tokens (--too-long cut keeps them)")
    if counts["empty"] or counts["doubled"]:
        said.append(f"left out {counts['empty']:,} empty documents and {counts['doubled']:,} that are there twice")
    if dropped := counts["dropped_symbols"]:
        some = " ".join(list(dropped)[:MOST_SYMBOLS]) + (" ..." if len(dropped) > MOST_SYMBOLS else "")
        said.append(f"dropped {sum(dropped.values()):,} characters that the model does not know: {some}")
    return said


def _conclude(run: Run) -> None:
    metrics, samples = run.metrics(), run.samples()
    before, after = metrics[0]["val_loss"], metrics[-1]["val_loss"]
    print(f"validation loss {before:.4f} before, {after:.4f} after, in nats per token of documents held out")
    for when, sample in (("before", samples[0]), ("after", samples[-1])):
        print(f"{when:>6}: {sample['prompt']}{' '.join(sample['text'].split())}")
    print(f"wrote {len(run.snapshots())} snapshots to {run.path}; draw them with  python -m viz.video --run {run.name}")


if __name__ == "__main__":
    with one_line_mistakes(PROG, FinetuneArguments):
        raise SystemExit(main(sys.argv[1:]))
