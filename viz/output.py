"""Where pictures go: formats by name, and folders that can be written to."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from data.errors import InputError


def chosen_formats(text: str, known: Sequence[str], thing: str) -> list[str]:
    """Read ``"mp4,gif"``; an `InputError` names the formats that ``thing`` can have."""
    formats = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not formats or any(name not in known for name in formats):
        raise InputError(f"{thing} is written as {', '.join(known)}; got {text!r}: pass --format {','.join(known)}")
    return formats


def writable_folder(folder: Path) -> Path:
    """Return the folder, made if need be, once it is known that files can be written there; the system's `OSError` says why not."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".writable-{os.getpid()}"
    probe.touch()
    probe.unlink()
    return folder


def slug(text: str) -> str:
    """Return ``text`` as a part of a file name: letters and digits with dashes between, code points where there are none."""
    return re.sub(r"[^0-9A-Za-z]+", "-", text).strip("-") or "-".join(f"u{ord(c):04x}" for c in text)


def prompt_slug(text: str, longest: int = 40) -> str:
    """Return a prompt as a part of a file name: its letters without accents, and a few digits that tell it from others like it.

    Examples
    --------
    >>> prompt_slug("A figura é poética")
    'a-figura-e-poetica-a0cf75'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    digits = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:6]
    return f"{slug(plain).lower()[:longest].strip('-')}-{digits}"
