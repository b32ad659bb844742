"""A quantised model in GGUF becomes a run of one snapshot, with the numbers that the package gguf reads from the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.runs import Run
from probes.models.logits import next_token_distribution
from tests.probes.models.test_hf_models import PROMPT, ROWS, TOKENIZER, ids, made
from trainer.pretrained.hf_import import import_hf_model

gguf = pytest.importorskip("gguf")
pytest.importorskip("accelerate", reason="transformers reads GGUF through accelerate: pip install accelerate")

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def side_by_side(weight: np.ndarray, n_head: int) -> np.ndarray:
    """Reorder the rows of each head for the format: the two channels of a rotation are neighbours."""
    return weight.reshape(n_head, 2, -1, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(model: Any, path: Path) -> dict[str, np.ndarray]:
    """Write a Llama, with matrices in 8 bits if a row is a multiple of 32; return the expected tensors by name."""
    kind, expected = gguf.GGMLQuantizationType.Q8_0, {}
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(24)
    writer.add_embedding_length(32)
    writer.add_block_count(3)
    writer.add_feed_forward_length(48)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_rope_dimension_count(8)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(ROWS)
    for name, parameter in model.named_parameters():
        stem, weight = name.removesuffix(".weight"), parameter.detach().numpy()
        short = WHOLE.get(stem) or "blk.{}.{}".format(stem.split(".")[2], NAMES[stem.split(".", 3)[3]])
        n_head = 4 if stem.endswith("q_proj") else 2 if stem.endswith("k_proj") else 0
        stored = np.ascontiguousarray(side_by_side(weight, n_head) if n_head else weight)
        expected[name] = weight
        if weight.ndim == 2 and weight.shape[1] % 32 == 0:
            writer.add_tensor(f"{short}.weight", gguf.quants.quantize(stored, kind), raw_dtype=kind)
            expected[name] = gguf.quants.dequantize(gguf.quants.quantize(np.ascontiguousarray(weight), kind), kind)
        else:
            writer.add_tensor(f"{short}.weight", stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def test_a_quantised_file_becomes_a_run_of_one_snapshot(tmp_path: Path) -> None:
    model = made("llama")
    expected = write_gguf(model, tmp_path / "small.gguf")
    run: Run = import_hf_model({0: tmp_path / "small.gguf"}, "q8", tokenizer=TOKENIZER, folder=tmp_path)
    stored = run.snapshot(0).tensors()
    assert stored.keys() == expected.keys()
    for name, weight in expected.items():
        assert stored[name].dtype == np.float32
        np.testing.assert_allclose(stored[name], weight, rtol=0, atol=1e-6)
    assert run.info["source"]["left_out"] == []
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(expected[name]))
        expected_probabilities = model(ids()).logits[0, -1].softmax(-1)
    np.testing.assert_allclose(
        next_token_distribution(run, PROMPT).sel(step=0), expected_probabilities, rtol=0, atol=1e-5
    )
