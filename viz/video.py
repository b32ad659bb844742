"""python -m viz.video: a film of a run over its training."""

from __future__ import annotations

from data.commands import run_command
from viz.request import FilmRequest

PROG = "python -m viz.video"


def main(request: FilmRequest) -> None:
    """Make a film and write it in every format; print which files were written."""
    from data.progress import progress_bar
    from data.runs import open_run
    from probes.parallel import open_client
    from viz.films.film import make_film
    from viz.output import writable_folder

    request.validate()
    runs = [open_run(name) for name in request.run_names] or [open_run(request.run)]
    folder = writable_folder(request.out or runs[0].inside("films"))
    n_pictures = max(len(runs), 2 if request.control else 1)
    with open_client(request.scheduler) as client:
        with progress_bar(request.what, n_pictures * len(runs[0].manifest()), "snapshot") as update:
            film = make_film(runs, request, progress=update)
        paths = [folder / f"{film.request.file_name}.{suffix}" for suffix in request.formats]
        with progress_bar("film", len(film.timeline), "frame") as update:
            film.save(*paths, progress=update, client=client)
    for path in paths:
        print(f"wrote {path}")


if __name__ == "__main__":
    run_command(main, FilmRequest, prog=PROG)
