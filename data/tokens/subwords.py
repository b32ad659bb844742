"""Sub-word tokens: any tokenizer that Hugging Face's `tokenizers` describes in a ``tokenizer.json``.

Byte-level tokenizers, such as GPT-2's and those learned here, decode every text exactly: their tokens are bytes, and a character may
consist of several. Others may lose information (GPT-1's lower-cases, and drops line ends). `data.tokens.vocabularies` learns tokenizers
and reads them from files.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from data.arrays import TokenIds
from data.errors import InputError
from data.tokens.tokenizers import check_ids

if TYPE_CHECKING:  # the library is loaded when a text is encoded
    import tokenizers

_AFTER_A_WORD = re.compile(r"(?<=\S)(?= )")


@dataclass(frozen=True)
class SubwordTokenizer:
    """Sub-words as a ``tokenizer.json`` of Hugging Face describes them.

    Parameters
    ----------
    definition : the text of that file. Its padding and truncation are not used, and no token is added at the ends of a text.
    origin : of the vocabulary, with remarks on how it splits a text.

    Examples
    --------
    >>> from data.tokens.vocabularies import learn_bpe
    >>> tokenizer = learn_bpe("to be or not to be " * 9, 262)
    >>> [tokenizer.labels[i] for i in tokenizer.encode("to be not")]
    ['to', ' be', ' ', 'no', 't']
    >>> tokenizer.decode(tokenizer.encode("not to be 🙂"))
    'not to be 🙂'
    """

    definition: str
    origin: str = ""

    def __post_init__(self) -> None:
        self._engine  # noqa: B018  raises if it cannot be read

    @property
    def vocab_size(self) -> int:
        """The number of tokens: one more than the highest id."""
        return len(self._names)

    @cached_property
    def special_tokens(self) -> dict[str, int]:
        """The ids of the special tokens (``<|endoftext|>``), by name."""
        return {token["content"]: token["id"] for token in self._described["added_tokens"] if token["special"]}

    @cached_property
    def labels(self) -> list[str]:
        """The text of each token, all different, with its spaces; bytes that are not a complete character are written ``<0xC3>``."""
        if self.token_bytes is not None:
            texts = [raw.decode("utf-8", "bytes_by_name") for raw in self.token_bytes]
        else:
            end_of_word = self._described["model"].get("end_of_word_suffix") or ""
            texts = [_text_of(name, self._space, end_of_word) for name in self._names]
        often = Counter(texts)
        # Tokens with the same text (e.g. a byte and a letter) get the names that the vocabulary itself uses.
        return [text if often[text] == 1 else name for text, name in zip(texts, self._names, strict=True)]

    @cached_property
    def token_bytes(self) -> list[bytes] | None:
        """The bytes of each token of a byte-level vocabulary, otherwise None."""
        if not any(part["type"] == "ByteLevel" for part in _parts(self._described["decoder"])):
            return None
        added, alphabet = {token["id"] for token in self._described["added_tokens"]}, byte_alphabet()
        return [name.encode() if i in added else _to_bytes(name, alphabet) for i, name in enumerate(self._names)]

    def encode(self, text: str) -> TokenIds:
        """Encode a text as ids, shape (n_tokens,); names of special tokens in it become these tokens.

        Raises
        ------
        InputError
            If the text holds half of a surrogate pair, or a character that the vocabulary does not know and has no unknown token for.
        """
        try:
            text.encode()
        except UnicodeEncodeError as wrong:
            found = f"U+{ord(text[wrong.start]):04X} at position {wrong.start:,}"
            raise InputError(f"the text has {found}, half of a surrogate pair and no character: leave it out") from None
        if not self._cuts_before_spaces:
            return np.array(self._cut([text])[0], dtype=np.int64)
        # No token extends over the end of a word, so each different word is encoded once: several times faster on a book.
        words = _AFTER_A_WORD.split(text)
        different = {word: place for place, word in enumerate(dict.fromkeys(words))}
        cuts = self._cut(list(different))
        return np.array([i for word in words for i in cuts[different[word]]], dtype=np.int64)

    def decode(self, ids: ArrayLike) -> str:
        """Decode ids, shape (n_tokens,), to text; special tokens appear by name, incomplete characters as U+FFFD."""
        checked = check_ids(ids, self.vocab_size)
        if self.token_bytes is not None:
            return b"".join(self.token_bytes[i] for i in checked).decode("utf-8", "replace")
        return self._engine.decode(checked.tolist(), skip_special_tokens=False)

    def _cut(self, texts: list[str]) -> list[list[int]]:
        try:
            return [cut.ids for cut in self._engine.encode_batch_fast(texts, add_special_tokens=False)]
        except Exception as error:  # the library raises nothing more specific
            unknown = next((letter for text in texts for letter in text if not self._takes(letter)), texts[0][:40])
            raise InputError(f"the vocabulary has no token for {unknown!r} ({error}): leave it out") from None

    def _takes(self, letter: str) -> bool:
        try:
            self._engine.encode(letter)
        except Exception:  # the library raises nothing more specific
            return False
        return True

    def to_json(self) -> dict[str, Any]:
        """Describe the tokenizer as ``{"kind": "subwords", "origin": ..., "tokens": ..., "definition": ...}``.

        `data.runs.create_run` keeps the definition in a file beside ``run.json``.
        """
        about = {"kind": "subwords", "origin": self.origin, "tokens": self.vocab_size}
        return {**about, "definition": self.definition}

    @cached_property
    def _engine(self) -> tokenizers.Tokenizer:
        from tokenizers import Tokenizer

        try:
            engine = Tokenizer.from_str(self.definition)
        except Exception as error:  # the library raises nothing more specific
            raise InputError(f"the tokenizer cannot be read ({error}): give a tokenizer.json of Hugging Face") from None
        engine.no_padding()
        engine.no_truncation()
        return engine

    @cached_property
    def _described(self) -> dict[str, Any]:
        """The definition as the library writes it, which adds fields that older files lack; without vocabulary and merges."""
        described: dict[str, Any] = json.loads(self._engine.to_str())
        model = {name: value for name, value in described["model"].items() if name not in ("vocab", "merges")}
        return {**described, "model": model}

    @cached_property
    def _names(self) -> list[str]:
        """The name of each token as the vocabulary spells it, or "[unused i]" for an id without a token."""
        ids = self._engine.get_vocab(with_added_tokens=True)
        if not ids:
            raise InputError("a vocabulary needs at least one token, and there is none: give another tokenizer")
        names = [f"[unused {i}]" for i in range(max(ids.values()) + 1)]
        for name, i in ids.items():
            names[i] = name
        return names

    @cached_property
    def _space(self) -> str:
        """The sign that the vocabulary writes for a space; empty if it has none."""
        parts = _parts(self._described["decoder"])
        signs = [part["replacement"] for part in parts if part["type"] == "Metaspace"]
        signs += [
            part["pattern"].get("String", "") for part in parts if part["type"] == "Replace" and part["content"] == " "
        ]
        return signs[0] if signs else ""

    @cached_property
    def _cuts_before_spaces(self) -> bool:
        """Whether a space after a word always starts a token: GPT-2's pre-tokenizer, and no added token with a space in it."""
        described = self._described
        cutter, added = described["pre_tokenizer"] or {}, described["added_tokens"]
        is_gpt2s = cutter.get("type") == "ByteLevel" and cutter["use_regex"] and not cutter["add_prefix_space"]
        reach_over = any(" " in token["content"] or token["lstrip"] or token["rstrip"] for token in added)
        return is_gpt2s and not reach_over and described["normalizer"] is None


@cache
def byte_alphabet() -> dict[str, int]:
    """Map the letters of a byte-level vocabulary to bytes, in the order of GPT-2's ids.

    Visible characters of Latin-1 stand for their own byte, the letters from U+0100 on for the other bytes.

    Examples
    --------
    >>> alphabet = byte_alphabet()
    >>> alphabet["a"], alphabet["Ġ"], len(alphabet)
    (97, 32, 256)
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


def _to_bytes(name: str, alphabet: Mapping[str, int]) -> bytes:
    if all(letter in alphabet for letter in name):
        return bytes(alphabet[letter] for letter in name)
    return name.encode()  # the name of an unused id


def _text_of(name: str, space: str, end_of_word: str) -> str:
    if end_of_word and name.endswith(end_of_word):
        return name.removesuffix(end_of_word) + " "
    return name.replace(space, " ") if space else name


def _parts(component: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """List the parts of a tokenizer's component, or the component itself if it is one part."""
    if not component:
        return []
    found = component.get("decoders") or component.get("pretokenizers")
    return found if found is not None else [component]


def _bytes_by_name(wrong: UnicodeError) -> tuple[str, int]:
    assert isinstance(wrong, UnicodeDecodeError)
    return "".join(f"<0x{byte:02X}>" for byte in wrong.object[wrong.start : wrong.end]), wrong.end


codecs.register_error("bytes_by_name", _bytes_by_name)
