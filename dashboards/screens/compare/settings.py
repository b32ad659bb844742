"""The settings in which runs differ, as a table: a row a setting, a column a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd
import streamlit as st

from dashboards.page import Page
from dashboards.state.language import Translation
from data.runs import Run

SettingName = tuple[str, str]
"""A part of a run's record, and a name in it; empty where the part is a single value."""

# The parts of a run's record in which runs may differ; what the options of the training say first is not repeated.
RECORDED = ("training", "model", "parameters", "corpus")
MISSING = "–"


def show_differences(pages: Sequence[Page]) -> None:
    """List the settings in which the runs differ."""
    say = pages[0].say
    rows = differing([settings_of(page.run) for page in pages])
    with st.expander(say("compare.differences_of", n=say.number(len(pages)))):
        if not rows:
            st.caption(say("compare.no_differences"))
            return
        columns = {say("compare.setting"): [_name(setting, say) for setting in rows]}
        for place, page in enumerate(pages):
            columns[page.run.name] = [_text(setting, values[place], say) for setting, values in rows.items()]
        st.dataframe(pd.DataFrame(columns), hide_index=True)


def settings_of(run: Run) -> dict[SettingName, Any]:
    """List the recorded settings of a run."""
    found: dict[SettingName, Any] = {}
    for part in RECORDED:
        recorded = run.info.get(part)
        if isinstance(recorded, Mapping):
            found |= {(part, name): value for name, value in recorded.items() if not isinstance(value, Mapping)}
        elif recorded is not None:
            found[part, ""] = recorded
    return found


def differing(settings: Sequence[Mapping[SettingName, Any]]) -> dict[SettingName, list[Any]]:
    """Select the settings that are not the same in all runs, each with the value of every run; None where a run has none.

    A name that two parts of the record hold with the same values is listed once.

    Examples
    --------
    >>> one = {("training", "seed"): 1, ("training", "n_layer"): 2, ("model", "n_layer"): 2}
    >>> differing([one, {("training", "seed"): 1, ("training", "n_layer"): 3, ("model", "n_layer"): 3}])
    {('training', 'n_layer'): [2, 3]}
    """
    found: dict[SettingName, list[Any]] = {}
    for setting in dict.fromkeys(name for each in settings for name in each):
        values = [each.get(setting) for each in settings]
        is_repeated = any(name == setting[1] and known == values for (_, name), known in found.items())
        if any(value != values[0] for value in values) and not is_repeated:
            found[setting] = values
    return found


def differ_in_seed_alone(run: Run, other: Run) -> bool:
    """Check whether two runs were trained in the same way from other random numbers."""
    if run.info.get("tokenizer") != other.info.get("tokenizer"):
        return False
    return {name for _, name in differing([settings_of(run), settings_of(other)])} == {"seed"}


def seed_pairs(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """List the pairs of runs that differ in their seed alone: what differs between them is what chance does."""
    return [pair for pair in combinations(runs, 2) if differ_in_seed_alone(*pair)]


def setting_text(value: Any, say: Translation) -> str:
    """Write the value of a setting in the reader's language.

    Examples
    --------
    >>> [setting_text(value, Translation("pt")) for value in (None, True, 1234, 0.0025, "best", [1, 2])]
    ['–', 'sim', '1.234', '0,0025', 'best', '1; 2']
    """
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return say("compare.yes" if value else "compare.no")
    if isinstance(value, (int, float)):
        decimals = len(f"{value:z.12f}".rstrip("0").partition(".")[2]) if isinstance(value, float) else 0
        return say.number(value, decimals)
    if isinstance(value, (list, tuple)):
        return "; ".join(setting_text(one, say) for one in value)
    return repr(value) if str(value).isspace() else str(value)


def _text(setting: SettingName, value: Any, say: Translation) -> str:
    """Write a value; a seed is a name among numbers, not a quantity."""
    return str(value) if setting[1] == "seed" and value is not None else setting_text(value, say)


def _name(setting: SettingName, say: Translation) -> str:
    """Name a setting by the option that sets it; what only the record knows is named by its part, too."""
    part, name = setting
    if not name:
        return say(f"compare.{part}")
    return name if part in ("training", "model") else f"{say(f'compare.{part}')}: {name}"
