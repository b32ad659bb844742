"""The process that serves the dashboard: Streamlit with our settings, without its welcome and its questions."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from typing import Any

from dashboards.launch import PROG


def main() -> None:
    """Serve the dashboard until the process is asked to stop or its parent has ended; report a failure in one line.

    The settings, Streamlit's options by their dotted names such as ``server.port``, are a line of JSON on the standard input. It comes
    while the imports are under way, or never, if the parent has nothing to serve.
    """
    # In a new home it would announce that it makes a list of the fonts.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    try:
        # `streamlit run` asks for an e-mail address before it comes to this.
        from dashboards.document import application

        settings = _read_settings()
        if settings is None:
            return
        threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
        application(settings.get("server.corsAllowedOrigins", ())).run(config=settings)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SystemExit(f"{PROG}: the server has failed: {reason}") from None


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return whether a message of the server is about more than a tab that was closed while it connected."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "WebSocketDisconnected"


def _read_settings() -> dict[str, Any] | None:
    """Read the line of the settings; None if the parent has ended without it."""
    line = b""
    while not line.endswith(b"\n"):
        # Not sys.stdin, whose lock an interpreter that shuts down cannot take from a waiting thread.
        part = os.read(0, 1 << 16)
        if not part:
            return None
        line += part
    settings: dict[str, Any] = json.loads(line)
    return settings


def _stop_with_parent() -> None:
    """Wait for the end of the standard input, a pipe that the parent holds open: it closes however the parent ends."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
