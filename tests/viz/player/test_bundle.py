"""The modules of the player are joined in an order in which each comes after those that it imports."""

from __future__ import annotations

import re

import pytest

from viz.player.attention_panels import HeatMaps
from viz.player.bundle import HOSTS, IMPORT, RUNS_FOLDER, module_paths, runs_script, runs_style, script, style
from viz.player.comparison_panels import SharedLegend
from viz.player.model_panel import ModelFlow
from viz.player.panels import Panel


def modules(host: str) -> list[str]:
    return re.findall(r"^const \$(\w+) = \(\(\) => \{$", script(host), flags=re.MULTILINE)


def test_every_module_is_in_the_bundle() -> None:
    for host in HOSTS:
        assert {path.stem for path in module_paths()} - {*HOSTS} == {*modules(host)} - {host}
        assert modules(host)[-1] == host


@pytest.mark.parametrize("host", HOSTS)
def test_imports_come_first_and_name_what_is_exported(host: str) -> None:
    paths = {path.stem: path for path in module_paths()}
    exports: dict[str, set[str]] = {}
    for module in modules(host):
        text = paths[module].read_text(encoding="utf-8")
        for found in IMPORT.finditer(text):
            names, source, file = found[1], found[2], found[0].split('"')[1]
            assert {name.strip() for name in names.strip("{}").split(",")} <= exports[source], (module, source)
            assert (paths[module].parent / file).resolve() == paths[source], (module, file)
        assert text.count("\nimport ") == len(IMPORT.findall(text)) - text.startswith("import ")
        exports[module] = set(re.findall(r"^export (?:const|function) (\w+)", text, flags=re.MULTILINE))


def test_only_streamlits_script_has_a_default_export() -> None:
    assert script("streamlit").endswith("export default $streamlit.default_;")
    assert "export " not in re.sub(r"//.*", "", script("page"))
    assert "history" not in script("page").split("const $page")[1]


def test_every_kind_of_panel_has_a_painter() -> None:
    modules = {kind.__module__ for kind in (Panel, SharedLegend, HeatMaps, ModelFlow)}
    kinds = {panel.kind for panel in Panel.__subclasses__() if panel.__module__ in modules}
    assert len(kinds) > 10
    assert Panel.kind not in kinds
    painters = re.findall(r'^PANELS(?:\.(\w+)|\["([\w-]+)"\]) =', script("page"), flags=re.MULTILINE)
    assert {plain or quoted for plain, quoted in painters} == kinds


def test_style_sheets_start_with_that_of_the_player() -> None:
    assert style().startswith(".player {")


def test_the_table_of_runs_is_bundled_with_what_it_imports_and_no_more() -> None:
    names = re.findall(r"^const \$(\w+) = \(\(\) => \{$", runs_script(), flags=re.MULTILINE)
    own = {path.stem for path in RUNS_FOLDER.glob("*.js")}
    assert {*names} - own == {"drawing", "window_fit"}
    assert own <= {*names}
    assert not own & {path.stem for path in module_paths()}, "modules go by their names"
    assert names[-1] == "mount"
    assert runs_script().endswith("export default $mount.default_;")
    assert not re.findall(r"^import ", runs_script(), flags=re.MULTILINE)
    assert runs_style().startswith(".runs {")
