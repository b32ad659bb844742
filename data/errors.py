"""The exceptions for what the user can mend."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line: what, what was found, what to do.

    Command lines print the message and exit with status 2 (see `data.commands`); everything else that is raised is a defect.
    """


class NotApplicableError(InputError):
    """What was asked for does not apply to this run: its model has no such part, or it recorded no such thing."""
