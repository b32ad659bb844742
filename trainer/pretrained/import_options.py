"""The options of an import. Imports no PyTorch, so that the command starts fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """The choices of an import; what is None follows from the source."""

    tokenizer: str | None = None
    """A tokenizer.json, vocab.bpe, meta.pkl or vocab.txt, a folder with one, gpt2, or ids; what lies beside the weights if not given."""
    symbols_of: str | None = None
    """The tokens are the characters of this text: a file, or a corpus by name."""
    context: int | None = None
    """The largest number of tokens that the model is shown; its own if not given."""
    gelu: str | None = None
    """tanh or exact, where the source does not record it (nanoGPT)."""
    keep_class: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Keep the class of Hugging Face even where our GPT has its form."""
    corpus_dir: Path | None = None
    """A folder where corpora are looked for first (like $GPTLAB_DATA)."""
