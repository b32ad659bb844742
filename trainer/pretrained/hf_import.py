"""Any causal language model of Hugging Face as a run: imported once, and from then on looked into like our own GPT.

``run.json`` holds the configuration of its class, snapshots hold the tensors under the names of its state dict (tied weights once).
`trainer.pretrained.hf_model` makes the model of them again.

Numbers are kept as they are in the source: float16 stays float16; bfloat16, which NumPy does not know, and what is quantised become
float32.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data.errors import InputError
from data.runs import Run
from trainer.config import ModelConfig
from trainer.pretrained.hf_model import HFModel, blank_hf_model, first_line, load_transformers, without_bars
from trainer.pretrained.mapping import (
    CONVERTED,
    TensorRow,
    check_dtype,
    dtype_names,
    natural_order,
    to_numpy,
    warn_if_not_finite,
)
from trainer.pretrained.run_writer import existing_sources, write_run
from trainer.pretrained.source import SAFETENSORS_ADVICE, open_source, refusal_message

LONGEST_CONTEXT = 1024
"""Contexts are cut to so many tokens unless another length is asked for: attention weights grow with their square."""

# What a configuration says about where it came from, or how to run it, and not about the model's shape.
_NO_SHAPE = {"dtype", "torch_dtype", "_name_or_path", "transformers_version", "auto_map", "quantization_config"}


def import_hf_model(
    sources: Mapping[int, Path],
    name: str,
    *,
    tokenizer: Mapping[str, Any] | Callable[[int], Mapping[str, Any]],
    context: int | None = None,
    folder: Path | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Write a run whose snapshots are one or several revisions of a causal language model of Hugging Face.

    Parameters
    ----------
    sources : by step, a folder that `from_pretrained` reads, or a file in GGUF, which is dequantised. Those that are not there are
        left out with a warning.
    name : of the run.
    tokenizer : its description (`data.tokens.tokenizers`), or what gives it for a number of rows of the token table; rows beyond it are
        labelled as unused.
    context : tokens that probes show it at most; the model's own if None, but no more than `LONGEST_CONTEXT`.
    folder : of the runs; the usual one if None.
    source : what run.json should say about where it came from.
    progress : called with the number of snapshots written so far.

    Returns
    -------
    The run. In its run.json ``source.tensors`` has a row for every tensor of the source, ``source.left_out`` names those that the
    model has no place for, ``source.missing_steps`` revisions that were not there, and ``source.dtype`` the type of the weights.

    Raises
    ------
    InputError
        If a source cannot be read without running its code, lacks a tensor, or is of another shape than the first. No run is
        left behind then.
    """
    there = existing_sources(sources)
    steps = list(there.items())
    model, notes = _read(steps[0][1])
    described = _described(model, context)
    _check_can_be_opened(model, described, steps[0][1])
    labels = tokenizer(described["vocab_size"]) if callable(tokenizer) else tokenizer
    origin = {**(source or {}), "missing_steps": sorted(sources.keys() - there.keys()), **notes}
    info = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "model": described,
        "tokenizer": dict(labels),
        "tensors": _tables(model),
        "source": origin,
        "versions": {"transformers": load_transformers().__version__},
    }
    begun = [(steps[0][0], _weights(model, described))]
    del model  # it is in memory until it is written, and no longer

    def revisions() -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        yield begun.pop()
        for step, path in steps[1:]:
            other = _read(path)[0]
            _check_same(_described(other, context), described, step)
            yield step, _weights(other, described)

    return write_run(name, info, revisions(), len(steps), folder, progress)


def _weights(model: Any, described: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    return {key: to_numpy(tensor) for key, tensor in HFModel(model, _shape(described)).weights().items()}


def _check_can_be_opened(model: Any, described: Mapping[str, Any], path: Path) -> None:
    """Refuse a model that looks ahead, and one whose class has other tensors when it is made anew from what run.json says."""
    shape = _shape(described)
    if HFModel(model, shape).attends_to_future():
        raise InputError(
            f"{path} is a {type(model).__name__} that sees the tokens that come after: only models that look back can be imported"
        )
    try:
        with torch.device("meta"):  # no number is drawn
            blank = blank_hf_model(described, shape)
    except RuntimeError:  # a class that looks at its numbers while it is made
        return
    differs = sorted(blank.weights().keys() ^ HFModel(model, shape).weights().keys())
    if differs:
        raise InputError(
            f"{path} cannot be kept: {type(model).__name__}, made anew, has other tensors ({differs[0]!r})"
        )


def _check_same(described: Mapping[str, Any], first: Mapping[str, Any], step: int) -> None:
    """Refuse a revision whose model is not that of the first: one run has one architecture."""
    for mine, theirs in ((described, first), (described["config"], first["config"])):
        differs = [key for key in mine if key != "config" and mine[key] != theirs.get(key)]
        if differs:
            raise InputError(
                f"the revision of step {step} is another model than the first: {differs[0]} is {mine[differs[0]]!r} "
                f"and was {theirs.get(differs[0])!r}"
            )


def _read(path: Path) -> tuple[Any, dict[str, Any]]:
    """Load a model and say what of the source it did not take, without running code of the source."""
    transformers = load_transformers()
    where = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    try:
        with without_bars(transformers), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Detected pickle protocol")  # what may be read is read, the rest refused
            model, found = transformers.AutoModelForCausalLM.from_pretrained(
                path.parent if where else path,
                dtype=torch.float32 if where else "auto",
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                output_loading_info=True,
                **where,
            )
    except UnpicklingError as error:
        raise InputError(
            f"{path} cannot be read: its weights are {refusal_message(error)}; {SAFETENSORS_ADVICE}"
        ) from None
    except Exception as error:  # the library raises what its formats raise: OSError, ValueError, ...
        raise InputError(f"{path} cannot be read as a causal language model ({first_line(error)})") from None
    for name, parameter in model.named_parameters():
        check_dtype(parameter, name, path)
    faults = [f"lacks {key!r}" for key in sorted(found["missing_keys"])]
    faults += [f"has {key[0]!r} in another shape" for key in sorted(found["mismatched_keys"])]
    if faults:
        raise InputError(
            f"the weights in {path} do not fit {type(model).__name__}: it {faults[0]} (of {len(faults)} faults)"
        )
    warn_if_not_finite(dict(model.named_parameters()), path)
    rows = _rows(path, model)
    notes = {
        "left_out": [row.source for row in rows if row.ours is None and row.note != CONVERTED],
        "dtype": dtype_names(model.parameters()),
        "tensors": [row.to_json() for row in rows],
    }
    return model, notes


def _rows(path: Path, model: Any) -> list[TensorRow]:
    """Return what became of each tensor of the source: found in the model by its name, or else by its numbers."""
    kept = HFModel(model, ModelConfig(1, 1, 1, 1, 1)).weights()
    if path.suffix == ".gguf":
        note = "named, and turned back to numbers, by transformers"
        return [TensorRow(name, tuple(tensor.shape), name, note) for name, tensor in kept.items()]
    source, prefix, of_class = open_source(path), f"{model.base_model_prefix}.", model.state_dict()
    found: dict[str, tuple[str | None, str]] = {}
    for name in source.shapes:
        spelt = next((way for way in (name, prefix + name, name.removeprefix(prefix)) if way in of_class), None)
        if spelt is not None:
            found[name] = _kept_as(spelt, kept, of_class)
    missed = kept.keys() - {target for target, _ in found.values()}
    for name in source.shapes.keys() - found.keys():
        twin = next((key for key in missed if _equal(kept[key], source.read(name))), None)
        if twin is not None:
            found[name] = twin, "renamed by transformers"
    # What goes by no name of the source was made by transformers of what it read, joining or splitting it.
    converted = kept.keys() > {target for target, _ in found.values()}
    lost = CONVERTED if converted else "left out: the class has no place for it, or makes it anew"
    names = sorted(source.shapes, key=natural_order)
    return [TensorRow(name, source.shapes[name], *(found.get(name) or (None, lost))) for name in names]


def _kept_as(name: str, kept: Mapping[str, Tensor], of_class: Mapping[str, Tensor]) -> tuple[str | None, str]:
    """Return under which name a tensor of the class is kept, and what is to be said of that."""
    if name in kept:
        return name, ""
    twin = next((key for key, tensor in kept.items() if tensor.data_ptr() == of_class[name].data_ptr()), None)
    return (twin, "tied: stored once") if twin else (None, "ignored: a buffer that the class makes anew")


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)


def _described(model: Any, context: int | None) -> dict[str, Any]:
    """Return what run.json says of the model."""
    config = model.config.get_text_config(decoder=True)
    told = (getattr(config, key, None) for key in ("max_position_embeddings", "max_seq_len"))
    own = next(
        (length for length in told if isinstance(length, int) and length > 0), None
    )  # -1 is XLNet's for no limit
    if context is not None and not 1 <= context <= (own or context):
        most = f"from 1 to the model's own {own}" if own else "1 or more"
        raise InputError(f"the context must be {most}; got {context}")
    n_head = getattr(config, "num_attention_heads", None)
    if n_head is None:
        raise InputError(f"{type(model).__name__} has no attention heads: only transformers can be imported")
    as_json = json.loads(model.config.to_json_string(use_diff=False))
    # Where a head of its own lies beside tied ones, the class keeps both, whatever the configuration says.
    as_json["tie_word_embeddings"] = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    return {
        "kind": "hf",
        "architecture": type(model).__name__,
        "config": {key: value for key, value in as_json.items() if key not in _NO_SHAPE},
        "n_layer": config.num_hidden_layers,
        "n_head": n_head,
        "n_kv_head": getattr(config, "num_key_value_heads", None) or n_head,
        "n_embd": config.hidden_size,
        "block_size": min(own or LONGEST_CONTEXT, LONGEST_CONTEXT) if context is None else context,
        "vocab_size": model.get_output_embeddings().weight.shape[0],
    }


def _shape(described: Mapping[str, Any]) -> ModelConfig:
    names = ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")
    return ModelConfig(**{name: described[name] for name in names})


def _tables(model: Any) -> dict[str, Any]:
    """Return the names of token table and position table, None for the second where there is none, and its rows to pass over."""
    token_table, config = model.get_input_embeddings(), model.config.get_text_config(decoder=True)
    names = {id(module): name for name, module in model.named_modules()}
    found: dict[str, Any] = {"token_table": f"{names[id(token_table)]}.weight", "position_table": None}
    for name, module in model.named_modules():
        if not isinstance(module, nn.Embedding) or module is token_table:
            continue
        # OPT and its like keep two rows before that of the first position.
        offset = module.num_embeddings - getattr(config, "max_position_embeddings", -1)
        if offset in (0, 2):
            found |= {"position_table": f"{name}.weight", "position_offset": offset}
    return found
