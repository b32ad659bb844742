"""The languages by their codes, and numbers as each of them writes them."""

from __future__ import annotations

LANGUAGES = {"en": "English", "pt": "Português"}
LOCALES = {"en": "en", "pt": "pt-BR"}
"""The tags by which browsers know the languages."""
_SWAPPED = str.maketrans(",.", ".,")


def format_number(value: float, decimals: int = 0, language: str = "en") -> str:
    """Format a number with separators for thousands.

    Examples
    --------
    >>> format_number(1234.5, 1), format_number(1234.5, 1, "pt")
    ('1,234.5', '1.234,5')
    >>> format_number(-0.001, 2)  # no negative zero
    '0.00'
    """
    text = f"{value:z,.{decimals}f}"
    return text.translate(_SWAPPED) if language == "pt" else text
