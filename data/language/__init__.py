"""The languages that the toolkit speaks: texts in English and Brazilian Portuguese, and numbers as each language writes them."""

from data.language.names import names
from data.language.numbers import LANGUAGES, LOCALES, format_number

__all__ = ["LANGUAGES", "LOCALES", "format_number", "names"]
