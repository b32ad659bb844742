"""python -m trainer.pretrained: models made elsewhere become runs, and snapshots become models of Hugging Face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from data import commands
from data.progress import progress_bar
from data.runs import check_run_name, open_run

PROG = "python -m trainer.pretrained"


@dataclass(frozen=True)
class Import:
    """Make a run of a model that was made elsewhere: GPT-1, GPT-2, nanoGPT, GPTLab, or any causal language model of Hugging Face.

    What became of each tensor is printed, and kept in run.json.
    """

    model: tyro.conf.Positional[str]
    """A folder, a checkpoint (ckpt.pt), a .gguf file, or a name on Hugging Face's hub."""
    revisions: str | None = None
    """Several revisions as the snapshots of one run: step0,step512,main=143000. In a folder, they are its sub-folders."""
    name: str | None = None
    """Of the run; the model's own if not given."""
    tokenizer: str | None = None
    """A tokenizer.json, vocab.bpe, meta.pkl or vocab.txt, a folder with one, gpt2, or ids; what lies beside the weights if not given."""
    symbols_of: str | None = None
    """The tokens are the characters of this text: a file, or a corpus by name."""
    context: int | None = None
    """Tokens that it is shown at most; its own number if not given."""
    gelu: str | None = None
    """tanh or exact, where the source does not tell (nanoGPT)."""
    keep_class: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Keep the class of Hugging Face even where our GPT has its form."""
    corpus_dir: Path | None = None
    """A folder where corpora are looked for first (like $GPTLAB_DATA)."""


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
    if isinstance(command, Import):
        _import(command)
    else:
        _export(command)


def _import(command: Import) -> None:
    from trainer.pretrained.import_report import format_report
    from trainer.pretrained.importing import ImportOptions, import_revisions
    from trainer.pretrained.revisions import default_run_name, locate_revisions, parse_revisions
    from trainer.pretrained.run_writer import check_name_is_free

    name = check_run_name(command.name or default_run_name(command.model))
    check_name_is_free(name)
    located = locate_revisions(command.model, parse_revisions(command.revisions) if command.revisions else [])
    wishes = ImportOptions(
        tokenizer=command.tokenizer,
        symbols_of=command.symbols_of,
        corpus_dir=command.corpus_dir,
        context=command.context,
        gelu=command.gelu,
        keep_class=command.keep_class,
    )
    with progress_bar("importing", sum(path.exists() for _, path in located), "snapshot") as update:
        run = import_revisions(located, name, model=command.model, wishes=wishes, progress=update)
    print(format_report(run))


def _export(command: Export) -> None:
    from trainer.pretrained.hf_export import export_model

    run = open_run(command.run)
    written = export_model(run, command.step, command.folder)
    print(f"wrote {written.what} to {command.folder}: {', '.join(written.files)}")
    if written.remark:
        print(written.remark)


if __name__ == "__main__":
    commands.run_command(main, Command, prog=PROG, description=__doc__)
