"""Make the films of the gallery: one of each kind, of the newest run, as GIFs in the current folder."""

from typing import Any

import gptlab as gl

SECONDS, HOLD_SECONDS, FPS = 8, 3, 10
SMALL = {"size": "640x360"}
FILMS: dict[str, dict[str, Any]] = {
    "positions": {"size": "800x450", "highlight": "12,13,14"},  # the first picture of the README
    "tokens": {**SMALL, "highlight": ["vowels", "digits"]},
    "attention": SMALL,
    "heads": SMALL,
    "position-similarity": SMALL,
    "temperature": SMALL,
}


def main() -> None:
    """Make the films."""
    run = gl.open_run()
    for what, fields in FILMS.items():
        options = {"fps": FPS, "hold": HOLD_SECONDS, "duration": SECONDS + HOLD_SECONDS, **fields}
        gl.film(run, what, **options).save(f"{what}.gif")


if __name__ == "__main__":
    main()
