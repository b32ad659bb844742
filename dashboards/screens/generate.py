"""generate."""


def show() -> None:
    """Draw the page."""
