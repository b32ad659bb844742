"""compare."""


def show() -> None:
    """Draw the page."""
