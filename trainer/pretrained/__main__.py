"""python -m trainer.pretrained: import pretrained models as runs, and export snapshots as models of Hugging Face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from data import commands
from data.progress import progress_bar
from data.runs import Run, open_run
from trainer.pretrained.import_options import ImportOptions

PROG = "python -m trainer.pretrained"


@dataclass(frozen=True, kw_only=True)
class Import(ImportOptions):
    """Import a pretrained model as a run: GPT-1, GPT-2, nanoGPT, GPTLab, or any causal language model of Hugging Face.

    A table of what became of each tensor is printed, and kept in run.json.
    """

    model: tyro.conf.Positional[str]
    """A folder, a checkpoint (ckpt.pt), a .gguf file, or a name on Hugging Face's hub."""
    revisions: str | None = None
    """Several revisions as the snapshots of one run: step0,step512,main=143000. In a folder, they are its sub-folders."""
    name: str | None = None
    """Name of the run; that of the model if not given."""


@dataclass(frozen=True)
class Export:
    """Write a snapshot as a folder that Hugging Face's from_pretrained loads, with equal logits."""

    folder: tyro.conf.Positional[Path]
    """The folder to make."""
    run: str | None = None
    """Name of the run; the newest if not given."""
    step: int | None = None
    """The snapshot; the last if not given."""


Command = (
    Annotated[Import, tyro.conf.subcommand("import", prefix_name=False)]
    | Annotated[Export, tyro.conf.subcommand("export", prefix_name=False)]
)


def main(command: Import | Export) -> None:
    if isinstance(command, Export):
        from trainer.pretrained.hf_export import export_model

        exported = export_model(open_run(command.run), command.folder, step=command.step)
        print(f"wrote {exported.description} to {command.folder}: {', '.join(exported.files)}")
        if exported.remark:
            print(exported.remark)
        return
    from trainer.pretrained.importing import import_revisions, locate_model

    name, located = locate_model(command.model, command.name, command.revisions)
    with progress_bar("importing", sum(path.exists() for _, path in located), "snapshot") as update:
        run = import_revisions(located, name, model=command.model, options=command, progress=update)
    print(format_report(run))


def format_report(run: Run) -> str:
    """Format how each tensor of the source of an imported run was used, and a summary."""
    return "\n".join([*_tensor_table(run.info["source"]["tensors"]), "", *_summary(run)])


def _tensor_table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    cells = [("their tensor", "shape", "ours", "note")]
    cells += [
        (row["source"], " x ".join(map(str, row["shape"])) or "1", row["ours"] or "-", row["note"]) for row in rows
    ]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    for source, shape, ours, note in cells:
        yield f"{source:{widths[0]}}  {shape:{widths[1]}}  {ours:{widths[2]}}  {note}".rstrip()


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
