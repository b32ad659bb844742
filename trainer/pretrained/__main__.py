"""python -m trainer.pretrained: import pretrained models as runs, and export snapshots as models of Hugging Face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from data import commands
from data.progress import progress_bar
from data.runs import Run, open_run
from data.runs.card import count_copies
from trainer.pretrained.import_options import ImportOptions

PROG = "python -m trainer.pretrained"


@dataclass(frozen=True, kw_only=True)
class Import(ImportOptions):
    """Import a pretrained model as a run: GPT-1, GPT-2, nanoGPT, GPTLab, or any causal language model of Hugging Face.

    A summary is printed, and a table of what became of the tensors; run.json keeps both.
    """

    model: tyro.conf.Positional[str]
    """A folder, a checkpoint (ckpt.pt), a .gguf file, or a name on Hugging Face's hub."""
    revisions: str | None = None
    """Several revisions as the snapshots of one run: step0,step512,main=143000. In a folder, they are its sub-folders."""
    name: str | None = None
    """Name of the run; that of the model if not given."""
    verbose: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print a row for every tensor, and not one for those of the same name in all blocks."""


@dataclass(frozen=True)
class Export:
    """Write a snapshot as a folder that Hugging Face's from_pretrained loads, with equal logits."""

    folder: tyro.conf.Positional[Path]
    """The folder to make."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    step: int | None = None
    """The snapshot; the last if not given."""
    licence: str = "unknown"
    """Licence of the model, for its card: an identifier of the hub (cc-by-4.0), or a name."""


Command = (
    Annotated[Import, tyro.conf.subcommand("import", prefix_name=False)]
    | Annotated[Export, tyro.conf.subcommand("export", prefix_name=False)]
)


def main(command: Import | Export) -> None:
    if isinstance(command, Export):
        from trainer.pretrained.hf_export import export_model

        exported = export_model(open_run(command.run), command.folder, step=command.step, licence=command.licence)
        print(f"wrote {exported.description} to {command.folder}: {', '.join(exported.files)}")
        if exported.remark:
            print(exported.remark)
        return
    from trainer.pretrained.importing import import_revisions, locate_model

    name, located = locate_model(command.model, command.name, command.revisions)
    with progress_bar("importing", sum(path.exists() for _, path in located), "snapshot") as update:
        run = import_revisions(located, name, model=command.model, options=command, progress=update)
    print(format_report(run, verbose=command.verbose))


def format_report(run: Run, *, verbose: bool = False) -> str:
    """Format a summary of an import, and how the tensors of its source were used: those of each family in one row, or all."""
    return "\n".join([*_summary(run), "", *_tensor_table(run.info["source"]["tensors"], verbose)])


def _tensor_table(rows: Iterable[dict[str, Any]], verbose: bool) -> Iterator[str]:
    cells = [
        (row["source"], " x ".join(map(str, row["shape"])) or "1", row["ours"] or "-", row["note"]) for row in rows
    ]
    if not verbose:  # tensors that differ in their numbers alone
        families = Counter((_family(source), shape, _family(ours), note) for source, shape, ours, note in cells)
        cells = [(f"{n} x {source}" if n > 1 else source, *rest) for (source, *rest), n in families.items()]
    cells = [("their tensor", "shape", "ours", "note"), *cells]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    for source, shape, ours, note in cells:
        yield f"{source:{widths[0]}}  {shape:{widths[1]}}  {ours:{widths[2]}}  {note}".rstrip()


def _family(name: str) -> str:
    """Replace the numbers between the dots of a name.

    Examples
    --------
    >>> _family("transformer.h.11.ln_1.weight")
    'transformer.h.#.ln_1.weight'
    """
    return ".".join("#" if part.isdecimal() else part for part in name.split("."))


def _summary(run: Run) -> Iterator[str]:
    from trainer.pretrained.mapping import CONVERTED

    info, source = run.info, run.info["source"]
    model, steps = info["model"], [snapshot.step for snapshot in run.snapshots()]
    if "architecture" in model:
        form = f"{model['architecture']}, kept in its own class"
    else:
        form = f"our GPT with norm {model['norm']}, bias {model['bias']}, gelu {model['gelu']}"
    dtype = source["dtype"] + (", kept as float32" if "bfloat16" in source["dtype"] else "")
    yield f"run {run.name}: {info['parameters']:,} parameters, {form}, weights in {dtype}"
    span = f", of step {steps[0]:,}" + (f" to {steps[-1]:,}" if len(steps) > 1 else "")
    unknown = "" if source.get("step_known", True) else "; the source does not name the step of the first (kept as 0)"
    yield f"snapshots: {len(steps)}{unknown or span}"
    if copies := count_copies(info):
        yield f"of these, copies of earlier ones: {copies:,}; run.json has their steps under source.identical_steps"
    if source["missing_steps"]:
        yield f"not there, and left out: step {', '.join(map(str, source['missing_steps']))}"
    left_out = source["left_out"]
    yield f"tensors left out: {len(left_out)}" + (", for the reasons in the table" if left_out else "")
    if converted := sum(row["note"] == CONVERTED for row in source["tensors"]):
        yield f"{CONVERTED}: {converted}"
    yield f"tokens: {_describe_tokens(info['tokenizer'], model['vocab_size'])}"
    if source.get("remark"):
        yield source["remark"]
    yield f"wrote {run.path}; look into it with  python -m probes --run {run.name}"


def _describe_tokens(tokenizer: dict[str, Any], rows: int) -> str:
    kind = tokenizer["kind"]
    if kind == "char":
        return f"{len(tokenizer['symbols'])} characters"
    if kind == "words":
        return f"{rows:,}, named by their ids; a text cannot be read"
    unused = f", and {rows - tokenizer['tokens']} unused rows" if rows > tokenizer["tokens"] else ""
    return f"{tokenizer['tokens']:,} sub-words{unused}; {tokenizer['origin']}"


if __name__ == "__main__":
    commands.run_command(main, Command, prog=PROG, description=__doc__)
