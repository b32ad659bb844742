"""Import pretrained models as runs: as our GPT where it has their form, otherwise in their own class of Hugging Face."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from data.errors import InputError, NotApplicableError
from data.progress import Progress
from data.runs import Run, check_run_name
from trainer.pretrained.hf_import import import_hf_model
from trainer.pretrained.import_options import ImportOptions
from trainer.pretrained.imported_run import check_name_is_free, write_run
from trainer.pretrained.readers.family import ModelFamily, read_as_gpt
from trainer.pretrained.readers.gpt1 import GPT1
from trainer.pretrained.readers.gpt2 import GPT2
from trainer.pretrained.readers.gptlab import GPTLAB
from trainer.pretrained.readers.nanogpt import NANOGPT
from trainer.pretrained.revisions import Location, default_run_name, locate_revisions, parse_revisions
from trainer.pretrained.source import open_source, read_settings
from trainer.pretrained.source_tokenizer import choose_tokenizer

FAMILIES = (GPT1, GPT2, NANOGPT, GPTLAB)


def import_model(
    model: str | Path,
    *,
    name: str | None = None,
    revisions: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Import a pretrained model as a run.

    Parameters
    ----------
    model : a folder, a checkpoint (``ckpt.pt``), a ``.gguf`` file, or a name on Hugging Face's hub.
    name : of the run; that of the model if None.
    revisions : several revisions as the snapshots of one run, as in ``"step0,step512,main=143000"``.
    folder : of the runs; the usual one if None.
    progress : called with the number of snapshots written so far.
    **options : the fields of `ImportOptions`.

    Returns
    -------
    The run; see `import_revisions`.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be imported. No run is left behind then.
    """
    name, located = locate_model(str(model), name, revisions, folder)
    choices = ImportOptions(**options)
    return import_revisions(located, name, model=str(model), options=choices, folder=folder, progress=progress)


def locate_model(
    model: str, name: str | None, revisions: str | None, folder: Path | None = None
) -> tuple[str, list[Location]]:
    """Choose the name of the run and locate the revisions of a model; the parameters are those of `import_model`."""
    name = check_run_name(name or default_run_name(model))
    check_name_is_free(name, folder)
    return name, locate_revisions(model, parse_revisions(revisions) if revisions else [])


def import_revisions(
    located: Sequence[Location],
    name: str,
    *,
    model: str,
    options: ImportOptions | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Write a run whose snapshots are revisions of a pretrained model.

    Parameters
    ----------
    located : the step of each revision, or None where its source records it, and its path. Paths that do not exist are left out with
        a warning.
    name : of the run.
    model : the name of the model in run.json.
    options : the choices of the import; those of the source if None.
    folder, progress : see `import_model`.

    Returns
    -------
    The run; ``source.tensors`` of its run.json has a row for every tensor of the source: name, shape, our name, note.

    Raises
    ------
    InputError
        If a source has no known form, cannot be read without running its code, has a missing or an unknown tensor, or its
        vocabulary does not fit. No run is left behind then.
    """
    check_name_is_free(name, folder)
    options = options or ImportOptions()
    family = None if options.keep_class else _family_of(_first_existing(located))
    sources, is_step_known = _by_step(located, family)
    existing = [path for path in sources.values() if path.exists()]
    origin: dict[str, Any] = {"model": model, "revisions": {str(step): path.name for step, path in sources.items()}}
    origin |= {} if is_step_known else {"step_known": False}

    def tokenizer(rows: int) -> dict[str, Any]:
        return choose_tokenizer(existing, rows, options).to_json()

    common: dict[str, Any] = {"tokenizer": tokenizer, "folder": folder, "progress": progress}
    if family is not None:
        source = {"format": family.name, **origin}
        read = partial(read_as_gpt, family, context=options.context, gelu=options.gelu)
        remark = family.remark if options.gelu is None else lambda _: ""
        try:
            return write_run(name, sources, read, remark=remark, source=source, **common)
        except NotApplicableError as misfit:
            if family not in (GPT1, GPT2):  # transformers has no class to keep it in
                raise InputError(f"{_first_existing(located)} cannot become our GPT: {misfit}") from None
            warnings.warn(f"{model} is kept in its own class, as our GPT has not its form: {misfit}", stacklevel=2)
    if options.gelu is not None:
        raise InputError("`gelu` is for models that become our GPT, and this one keeps its own class")
    source = {"format": "hf", **origin}
    return import_hf_model(sources, name, context=options.context, source=source, **common)


def _first_existing(located: Sequence[Location]) -> Path:
    return next((path for _, path in located if path.exists()), located[0][1])


def _family_of(path: Path) -> ModelFamily | None:
    """Find the family of a model; None if it can be read by its class of Hugging Face only."""
    if path.suffix == ".gguf" or not path.exists():
        return None
    settings = read_settings(path) if (path / "config.json").is_file() else {}
    if "model_type" in settings:
        if not isinstance(settings["model_type"], str):
            raise InputError(
                f"the config.json in {path} gives no name as model_type; it has {settings['model_type']!r}: fetch it again"
            )
        return {"openai-gpt": GPT1, "gpt2": GPT2}.get(settings["model_type"])
    source = open_source(path)
    found = next((family for family in FAMILIES if family.matches(source)), None)
    if found is None:
        raise InputError(
            f"{path} is of no known form: neither a model of Hugging Face (its config.json names a model_type), "
            "nor nanoGPT's (model_args beside model), nor GPTLab's (max_len in config.json)"
        )
    return found


def _by_step(located: Sequence[Location], family: ModelFamily | None) -> tuple[dict[int, Path], bool]:
    """Map steps to paths, in order, and check whether all are known: one that neither the revision nor its source names is 0."""
    by_step: dict[int, Path] = {}
    is_known = True
    for named_step, path in located:
        step = named_step
        if step is None and family is not None and path.exists():
            step = family.step(open_source(path))
        is_known = is_known and step is not None
        step = step or 0
        if step in by_step:
            raise InputError(f"{path} and {by_step[step]} are both of step {step}: name the steps with `revisions`")
        by_step[step] = path
    return dict(sorted(by_step.items())), is_known
