"""Import causal language models of Hugging Face in their own class, so that the probes apply to them as to our GPT.

``run.json`` holds the configuration of the class, and snapshots hold the tensors by the names of its state dict (tied weights once).
`trainer.pretrained.hf_model` rebuilds the model from them.

The type of the numbers is kept, float16 for example. bfloat16, which NumPy lacks, and quantised numbers become float32.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from trainer.config import ModelConfig
from trainer.pretrained.hf_model import HFModel, blank_hf_model, first_line, load_transformers, without_bars
from trainer.pretrained.imported_run import ImportedModel, write_run
from trainer.pretrained.mapping import (
    CONVERTED,
    TensorRow,
    check_dtype,
    dtype_names,
    natural_order,
    to_numpy,
    warn_if_not_finite,
)
from trainer.pretrained.source import SAFETENSORS_ADVICE, open_source, refusal_message

MAX_CONTEXT = 1024
"""Default limit of the context, in tokens: attention weights grow with its square."""

# Entries of a configuration about its origin or how to run the model, and not about its shape.
_NO_SHAPE = {"dtype", "torch_dtype", "_name_or_path", "transformers_version", "auto_map", "quantization_config"}


def import_hf_model(
    sources: Mapping[int, Path],
    name: str,
    *,
    tokenizer: Mapping[str, Any] | Callable[[int], Mapping[str, Any]],
    context: int | None = None,
    folder: Path | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Write a run whose snapshots are revisions of a causal language model of Hugging Face.

    Parameters
    ----------
    sources : the path of each revision, by step: a folder that `from_pretrained` reads, or a GGUF file, which is dequantised. Paths that
        do not exist are left out with a warning.
    name : of the run.
    tokenizer : its description (`data.tokens.tokenizers`), or a function that finds it for a number of rows of the token table. Further
        rows are labelled as unused.
    context : the largest number of tokens that probes show the model; its own if None, but no more than `MAX_CONTEXT`.
    folder : of the runs; the usual one if None.
    source : what run.json says of the origin, besides the tensors.
    progress : called with the number of snapshots written so far.

    Returns
    -------
    The run. In its run.json ``source.tensors`` has a row for every tensor of the source, ``source.left_out`` names those that the
    model does not have, ``source.missing_steps`` the missing revisions, and ``source.dtype`` the type of the weights.

    Raises
    ------
    InputError
        If a source cannot be read without running its code, lacks a tensor, or is of another shape than the first. No run is
        left behind then.
    """
    read, find = partial(_read, context=context), tokenizer if callable(tokenizer) else lambda _: tokenizer
    return write_run(name, sources, read, tokenizer=find, source=source, folder=folder, progress=progress)


def _read(path: Path, *, context: int | None) -> ImportedModel:
    model, notes = _load(path)
    description = _describe(model, context)
    _check_rebuilds(model, description, path)
    tensors = {key: to_numpy(tensor) for key, tensor in HFModel(model, _shape(description)).weights().items()}
    versions = {"transformers": load_transformers().__version__}
    return ImportedModel(description, model.num_parameters(), tensors, _tables(model), notes, versions)


def _check_rebuilds(model: Any, description: Mapping[str, Any], path: Path) -> None:
    """Refuse a model that is not causal, and one whose class has other tensors when it is rebuilt from its description."""
    shape = _shape(description)
    if HFModel(model, shape).attends_to_future():
        raise InputError(
            f"{path} is a {type(model).__name__} that sees the tokens that come after: only models that look back can be imported"
        )
    try:
        with torch.device("meta"):  # allocates and draws no numbers
            blank = blank_hf_model(description, shape)
    except RuntimeError:  # a class that computes with its numbers while it is built
        return
    differs = sorted(blank.weights().keys() ^ HFModel(model, shape).weights().keys())
    if differs:
        raise InputError(
            f"{path} cannot be kept: {type(model).__name__}, made anew, has other tensors ({differs[0]!r})"
        )


def _load(path: Path) -> tuple[Any, dict[str, Any]]:
    """Load a model, without running code of the source, and note how its tensors were used."""
    transformers = load_transformers()
    gguf_file = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    try:
        with without_bars(transformers), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Detected pickle protocol")  # torch checks the content of pickles
            model, loading = transformers.AutoModelForCausalLM.from_pretrained(
                path.parent if gguf_file else path,
                dtype=torch.float32 if gguf_file else "auto",
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                output_loading_info=True,
                **gguf_file,
            )
    except UnpicklingError as error:
        raise InputError(
            f"{path} cannot be read: its weights are {refusal_message(error)}; {SAFETENSORS_ADVICE}"
        ) from None
    except Exception as error:  # each format has exceptions of its own: OSError, ValueError, ...
        raise InputError(f"{path} cannot be read as a causal language model ({first_line(error)})") from None
    for name, parameter in model.named_parameters():
        check_dtype(parameter, name, path)
    faults = [f"lacks {key!r}" for key in sorted(loading["missing_keys"])]
    faults += [f"has {key[0]!r} in another shape" for key in sorted(loading["mismatched_keys"])]
    if faults:
        raise InputError(
            f"the weights in {path} do not fit {type(model).__name__}: it {faults[0]} (of {len(faults)} faults)"
        )
    warn_if_not_finite(dict(model.named_parameters()), path)
    rows = _rows(path, model)
    notes = {
        "left_out": [row.source for row in rows if row.ours is None and row.note != CONVERTED],
        "dtype": dtype_names(model.parameters()),
        "tensors": [asdict(row) for row in rows],
    }
    return model, notes


def _rows(path: Path, model: Any) -> list[TensorRow]:
    """Find each tensor of the source in the model, by its name or else by its numbers."""
    kept = HFModel(model, ModelConfig(1, 1, 1, 1, 1)).weights()
    if path.suffix == ".gguf":
        note = "named, and turned back to numbers, by transformers"
        return [TensorRow(name, tuple(tensor.shape), name, note) for name, tensor in kept.items()]
    source, prefix, of_class = open_source(path), f"{model.base_model_prefix}.", model.state_dict()
    found: dict[str, tuple[str | None, str]] = {}
    for name in source.shapes:
        in_class = next((key for key in (name, prefix + name, name.removeprefix(prefix)) if key in of_class), None)
        if in_class is not None:
            found[name] = _kept_as(in_class, kept, of_class)
    missed = kept.keys() - {target for target, _ in found.values()}
    for name in source.shapes.keys() - found.keys():
        tensor = source.read(name)
        equal = next(
            (key for key in missed if kept[key].dtype == tensor.dtype and torch.equal(kept[key], tensor)), None
        )
        if equal is not None:
            found[name] = equal, "renamed by transformers"
    # Tensors of the model that equal none of the source: transformers joined or split some.
    converted = kept.keys() > {target for target, _ in found.values()}
    lost = CONVERTED if converted else "left out: the class has no place for it, or makes it anew"
    names = sorted(source.shapes, key=natural_order)
    return [TensorRow(name, source.shapes[name], *(found.get(name) or (None, lost))) for name in names]


def _kept_as(name: str, kept: Mapping[str, Tensor], of_class: Mapping[str, Tensor]) -> tuple[str | None, str]:
    """Find the name that a tensor of the class is kept under, and a note on it."""
    if name in kept:
        return name, ""
    tied = next((key for key, tensor in kept.items() if tensor.data_ptr() == of_class[name].data_ptr()), None)
    return (tied, "tied: stored once") if tied else (None, "ignored: a buffer that the class makes anew")


def _describe(model: Any, context: int | None) -> dict[str, Any]:
    """Describe a model for run.json."""
    config = model.config.get_text_config(decoder=True)
    lengths = (getattr(config, key, None) for key in ("max_position_embeddings", "max_seq_len"))
    own = next((n for n in lengths if isinstance(n, int) and n > 0), None)  # XLNet writes -1 for no limit
    if context is not None and not 1 <= context <= (own or context):
        limits = f"from 1 to the model's own {own}" if own else "1 or more"
        raise InputError(f"the context must be {limits}; got {context}")
    n_head = getattr(config, "num_attention_heads", None)
    if n_head is None:
        raise InputError(f"{type(model).__name__} has no attention heads: only transformers can be imported")
    as_json = json.loads(model.config.to_json_string(use_diff=False))
    # The configuration may call an output head tied that is not; the class keeps both tables then.
    as_json["tie_word_embeddings"] = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    return {
        "kind": "hf",
        "architecture": type(model).__name__,
        "config": {key: value for key, value in as_json.items() if key not in _NO_SHAPE},
        "n_layer": config.num_hidden_layers,
        "n_head": n_head,
        "n_kv_head": getattr(config, "num_key_value_heads", None) or n_head,
        "n_embd": config.hidden_size,
        "block_size": min(own or MAX_CONTEXT, MAX_CONTEXT) if context is None else context,
        "vocab_size": model.get_output_embeddings().weight.shape[0],
    }


def _shape(description: Mapping[str, Any]) -> ModelConfig:
    names = ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")
    return ModelConfig(**{name: description[name] for name in names})


def _tables(model: Any) -> dict[str, Any]:
    """Find the names of token table and position table, None if there is none, and how many rows of it come before position 0."""
    token_table, config = model.get_input_embeddings(), model.config.get_text_config(decoder=True)
    names = {id(module): name for name, module in model.named_modules()}
    found: dict[str, Any] = {"token_table": f"{names[id(token_table)]}.weight", "position_table": None}
    for name, module in model.named_modules():
        if not isinstance(module, nn.Embedding) or module is token_table:
            continue
        # OPT and similar classes have two rows before that of position 0.
        offset = module.num_embeddings - getattr(config, "max_position_embeddings", -1)
        if offset in (0, 2):
            found |= {"position_table": f"{name}.weight", "position_offset": offset}
    return found
