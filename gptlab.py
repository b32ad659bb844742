"""Train a small GPT and watch it learn: the few functions that a user starts with, and the console script ``gptlab``.

A `Run` is a folder of snapshots. Probes take a run and return labelled arrays (xarray) whose first dimension is the training
``step``. `film` and `figure` draw a run, and their results can be saved or shown in a notebook::

    import gptlab as gl

    run = gl.train(preset="tiny", corpus="tinyshakespeare")    # or gl.open_run(), the newest
    gl.heads(run)                                              # an xarray.Dataset: (step, layer, head)
    gl.film(run, "tokens", highlight=["vowels", "digits"]).save("tokens.mp4")
    gl.figure(run, "attention", prompt="To be").save("attention.svg")

Everything else is in the packages: `data`, `trainer`, `probes`, `viz` and `dashboards`.
"""

from __future__ import annotations

import runpy
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data import Run, list_runs, open_run
    from probes import attention, cohesion, heads, import_vectors, neighbours, next_token, positions, tokens
    from trainer import export_model, fine_tune, generate_text, text_loss, train
    from trainer.pretrained.importing import import_model
    from viz import figure, film, project

_MODULES = {
    "data": ("Run", "list_runs", "open_run"),
    "probes": ("attention", "cohesion", "heads", "import_vectors", "neighbours", "next_token", "positions", "tokens"),
    "trainer": ("export_model", "fine_tune", "generate_text", "text_loss", "train"),
    "trainer.pretrained.importing": ("import_model",),
    "viz": ("figure", "film", "project"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Run",
    "attention",
    "cohesion",
    "export_model",
    "figure",
    "film",
    "fine_tune",
    "generate_text",
    "heads",
    "import_model",
    "import_vectors",
    "list_runs",
    "neighbours",
    "next_token",
    "open_run",
    "positions",
    "project",
    "text_loss",
    "tokens",
    "train",
]

COMMANDS = {
    "train": (("trainer",), "train a GPT and write a run"),
    "film": (("viz.video",), "film a run over its training"),
    "figures": (("viz.figures",), "draw figures of a run for slides"),
    "probe": (("probes",), "measure a run over its snapshots"),
    "generate": (("trainer.generate",), "continue a prompt with a snapshot"),
    "finetune": (("trainer.finetune",), "fine-tune a run on documents"),
    "supervised": (("trainer.supervised",), "fine-tune a run on a task"),
    "import": (("trainer.pretrained", "import"), "make a run of a model trained elsewhere"),
    "export": (("trainer.pretrained", "export"), "write a snapshot as a folder that from_pretrained loads"),
    "data": (("data",), "list and fetch corpora"),
    "dashboard": (("dashboards",), "open the dashboard in a browser"),
    "demo": (("demo",), "train the demo run, and film and draw it"),
}
DEMO_RUN = "demo"
TRAIN_DEMO = ("trainer", "--preset", "cpu", "--run", DEMO_RUN)
RESUME_DEMO = ("trainer", "--resume", "--run", DEMO_RUN)
_VOWELS_AND_CAPITALS = ("--highlight", "vowels", "--highlight", "uppercase")
# All figures, in two halves that take about as long as each other.
_MEASURED = ("zero-shot", "context", "temperature", "loss")
_DRAWN = (
    *("attention", "layer", "head", "heads", "next-token", "trace", "lens", "token-spectrum", "position-spectrum"),
    *("position-table", "position-similarity", "tokens", "positions"),
)


def _figures(names: tuple[str, ...]) -> tuple[str, ...]:
    return ("viz.figures", "--run", DEMO_RUN, *(part for name in names for part in ("--only", name)))


DRAW_DEMO = {
    "film of the positions": ("viz.video", "--run", DEMO_RUN, "--what", "positions", "--highlight", "12,13,14"),
    "film of the tokens": ("viz.video", "--run", DEMO_RUN, "--what", "tokens", *_VOWELS_AND_CAPITALS),
    "figures of what is measured": _figures(_MEASURED),
    "all other figures": _figures(_DRAWN),
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first used."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'gptlab' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def main(arguments: list[str] | None = None) -> None:
    """Run a subcommand of the console script: the command that ``python -m`` runs, under a shorter name."""
    from data.printing import print_any_text

    print_any_text()
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage())
        return
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"gptlab: there is no command {name!r}; there is {', '.join(COMMANDS)}: see --help", file=sys.stderr)
        raise SystemExit(2)
    if name == "demo":
        _demo(rest)
        return
    module, *first = COMMANDS[name][0]
    _run("gptlab" if first else f"gptlab {name}", module, [*first, *rest])


def _run(program: str, module: str, arguments: list[str]) -> None:
    """Run a module as ``python -m`` does, under the name of the subcommand."""
    from data import commands

    commands.program.set(program)
    sys.argv = [program, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: gptlab COMMAND [OPTIONS]",
            "",
            "Train a small GPT and watch it learn.",
            "",
            *lines,
            "",
            "gptlab COMMAND --help lists the options of a command.",
        ]
    )


def _demo(arguments: list[str]) -> None:
    """Train the run ``demo``, or resume it; then film and draw it, side by side. Each step is a command of its own."""
    from data.child_commands import ChildCommand, ended_by_signals, run_child, run_side_by_side
    from data.commands import one_line_mistakes
    from data.runs import runs_folder

    if arguments:
        print(f"gptlab demo: takes no options; got {' '.join(arguments)}", file=sys.stderr)
        raise SystemExit(0 if arguments[0] in ("-h", "--help") else 2)
    folder = runs_folder() / DEMO_RUN
    with one_line_mistakes("gptlab demo"), ended_by_signals():
        status = run_child(RESUME_DEMO if (folder / "run.json").exists() else TRAIN_DEMO)
        status = status or run_side_by_side([ChildCommand(label, command) for label, command in DRAW_DEMO.items()])
    if status:
        raise SystemExit(status)
    print(f"\nFilms:      {folder / 'films'}\nFigures:    {folder / 'figures'}\nDashboard:  gptlab dashboard")


if __name__ == "__main__":
    main()
