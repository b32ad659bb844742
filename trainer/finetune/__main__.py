"""python -m trainer.finetune: fine-tune a run on documents, jokes for example, and write a run."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from data.commands import one_line_mistakes, parse
from data.printing import code_point, has_ink, terminal_text
from data.runs import open_run
from trainer.config import first_pass
from trainer.finetune.finetune_config import LanguageConfig, schedule
from trainer.parallel.torchrun import one_command

if TYPE_CHECKING:
    from trainer.finetune.language_model import LanguageObjective
    from trainer.loop import Training

PROG = "python -m trainer.finetune"
MOST_SYMBOLS = 12


@dataclass(frozen=True)
class FinetuneArguments(LanguageConfig):
    """Fine-tune a language model on documents: jokes, a column of a table, the paragraphs of a text.

    Documents are packed into rows, and the model learns to predict each next token. The new run starts with the weights of the model,
    so that films and probes show what fine-tuning moves.
    """

    model: str | None = None
    """What to start from: a run's name, or RUN@STEP, or a model's folder, which becomes a run; the newest run if not given."""
    run: str | None = None
    """Name of the new run; made from those of model and corpus if not given. With --resume: the run to resume."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Resume a fine-tuning that was stopped."""
    corpus_dir: Path | None = None
    """A folder where corpora are looked for first (like $GPTLAB_DATA)."""


def default_config(args: list[str]) -> LanguageConfig:
    """Build the configuration that a command line changes: that of the run to resume, or the default."""
    first = first_pass(FinetuneArguments(), args)
    if not first.resume:
        return LanguageConfig()
    from trainer.finetune.language_model import tuned_config

    return tuned_config(open_run(first.run))


def main(args: list[str]) -> int:
    default = FinetuneArguments(**dataclasses.asdict(default_config(args)))
    parsed: FinetuneArguments = parse(FinetuneArguments, prog=PROG, args=args, default=default)
    config = LanguageConfig(**{field.name: getattr(parsed, field.name) for field in dataclasses.fields(LanguageConfig)})
    from trainer.finetune.language_model import open_tuning
    from trainer.loop.stopping import Stopped

    tuning = open_tuning(config, model=parsed.model, run=parsed.run, resume=parsed.resume, corpus_dir=parsed.corpus_dir)
    _introduce(tuning)
    try:
        tuning.go()
    except Stopped as stopped:
        print(f"stopped at step {stopped.step:,}; resume with  {PROG} --resume --run {tuning.run.name}")
        return stopped.exit_status
    _conclude(tuning)
    return 0


def _conclude(tuning: Training[LanguageObjective]) -> None:
    from trainer.loop import describe_standstill, evaluating

    run, metrics, objective = tuning.run, tuning.run.metrics(), tuning.objective
    before, after = metrics[0]["val_loss"], metrics[-1]["val_loss"]
    print(f"validation loss {before:.4f} before, {after:.4f} after, in nats per token of documents held out")
    with evaluating(objective.module):
        same_draw = objective.sample(0)  # with the seed of the sample before, so that only the weights differ
    for when, sample in (("before", run.samples()[0]), ("after", same_draw)):
        print(terminal_text(f"{when:>6}: {sample['prompt']}{' '.join(str(sample['text']).split())}"))
    if standstill := describe_standstill(run):
        print(standstill)
    print(f"wrote {len(run.snapshots())} snapshots to {run.path}; draw them with  python -m viz.video --run {run.name}")


def _introduce(tuning: Training[LanguageObjective]) -> None:
    from trainer.loop import highest_rate

    info, objective = tuning.run.info, tuning.objective
    config, steps = objective.config, objective.steps
    corpus, base = info["corpus"], info["base"]
    counts = corpus["documents"]
    start = f"step {base['step']:,} of {base['run']}" if base.get("step_known", True) else base["run"]
    print(
        f"run {tuning.run.name}: {info['parameters']:,} parameters, from {start}; "
        f"{counts['learned']:,} documents of {corpus['name']} for training, {counts['held_out']:,} held out, {objective.device}"
    )
    if reading := corpus.get("reading"):  # older runs do not record it
        print(f"{corpus['name']}: {reading}")
    for line in _left_out(counts, info["training"]["length"]):
        print(line)
    warmup = schedule(config, steps).warmup_steps
    print(
        f"{steps:,} steps of {config.micro_batch * config.accumulate} rows, up to {info['training']['length']} tokens each; "
        f"learning rate up to {highest_rate(objective):.1e}, warm-up {warmup:,} steps",
        flush=True,
    )


def _left_out(counts: Mapping[str, Any], length: int) -> list[str]:
    """Write a line for each kind of document or symbol that was left out."""
    lines = []
    if counts["skipped"]:
        lines.append(f"skipped {counts['skipped']:,} documents longer than {length} tokens (--too-long cut keeps them)")
    if counts["empty"] or counts["doubled"]:
        lines.append(f"left out {counts['empty']:,} empty documents and {counts['doubled']:,} that are there twice")
    if dropped := counts["dropped_symbols"]:
        shown = [c if has_ink(c) else code_point(c) for c in list(dropped)[:MOST_SYMBOLS]]
        some = " ".join(shown) + (" ..." if len(dropped) > MOST_SYMBOLS else "")
        lines.append(f"dropped {sum(dropped.values()):,} characters that the model does not know: {some}")
    return lines


if __name__ == "__main__":
    with one_line_mistakes(PROG, FinetuneArguments), one_command(PROG):
        raise SystemExit(main(sys.argv[1:]))
