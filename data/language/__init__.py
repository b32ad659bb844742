"""The languages that the toolkit speaks: texts in English and Brazilian Portuguese, and numbers as each language writes them.

Code that knows its reader takes texts from a catalogue by their keys (`dashboards.state.language`, `viz.player.words`). What is raised as
an error is translated where it is shown (`translated`). Pictures are drawn in a language that holds while they are drawn (`in_language`);
what writes their texts says them by their English templates (`say`).
"""

from data.language.displayed_names import names
from data.language.messages import translated
from data.language.numbers import LANGUAGES, LOCALES, format_number
from data.language.pictures import digits, in_language, picture_language, say

__all__ = [
    "LANGUAGES",
    "LOCALES",
    "digits",
    "format_number",
    "in_language",
    "names",
    "picture_language",
    "say",
    "translated",
]
