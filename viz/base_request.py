"""What requests of films and of figures have in common: records for sidecars, options, file names, and checks of their fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from data.errors import InputError
from probes.groups.naming import Group
from probes.registry import parse_layers
from viz.file_names import FIELDS, field_word, file_name, run_word
from viz.registry import Kind


@dataclass(frozen=True)
class Request:
    """What requests of films and of figures have in common."""

    LENIENT: ClassVar = frozenset({"method", "seed"})
    """Fields of some kinds only that others have always accepted and ignored."""
    UNRECORDED_DEFAULTS: ClassVar = frozenset({"device"})
    """Later fields that are recorded only if they were changed, so that sidecars of before stay as they are."""

    def __post_init__(self) -> None:
        paths = {name: Path(value) for name in ("text", "out") if (value := getattr(self, name)) is not None}
        self._set(highlight=several(self.highlight), **paths)  # type: ignore[attr-defined]

    def _set(self, **values: Any) -> None:
        """Set fields of the frozen dataclass while it is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def to_record(self) -> dict[str, Any]:
        """Convert to the values that a sidecar holds: strings, numbers, lists."""
        unchanged = self.UNRECORDED_DEFAULTS - {name for name, _ in self._changed()}
        names = [field.name for field in dataclasses.fields(self) if field.name not in unchanged]
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_record` wrote, or an earlier version of it; unknown fields are ignored.

        Raises
        ------
        InputError
            If a value is of another type than its field.
        """
        hints, given = get_type_hints(cls), {}
        for field in dataclasses.fields(cls):
            if field.name in record:
                value = record[field.name]
                value = tuple(map(_group, value)) if isinstance(value, list) else value
                if not _fits(value, hints[field.name]):
                    raise InputError(f"`{field.name}` cannot be {value!r}: leave it out")
                given[field.name] = value
        return cls(**given)

    def arguments(self) -> list[str]:
        """Write the command line's options for this request; fields with their defaults are left out.

        Examples
        --------
        >>> from viz.request import FilmRequest
        >>> FilmRequest(what="tokens", highlight=("a,e", "-"), trust=False, run="r").arguments()
        ['--what=tokens', '--highlight=a,e', '--highlight=-', '--no-trust', '--run=r']
        """
        given = []
        for name, value in self._changed():
            option = name.replace("_", "-")
            values = value if isinstance(value, tuple) else (value,)
            if any(isinstance(one, Group) for one in values):
                raise InputError(f"a `{name}` on the command line is a text: pass labels or group names")
            if isinstance(value, bool):
                given.append(f"--{'' if value else 'no-'}{option}")
            else:
                given += [f"--{option}={one}" for one in values]
        return given

    def _changed(self) -> list[tuple[str, Any]]:
        """List the fields that differ from their defaults, with their values."""
        named = [(field, getattr(self, field.name)) for field in dataclasses.fields(self)]
        return [(field.name, value) for field, value in named if value != field.default]

    def name_words(self, *names: str) -> list[str]:
        """Write the fields of these names that differ from their defaults for a file's name."""
        changed = dict(self._changed())
        return [field_word(name, changed[name]) for name in FIELDS if name in names and name in changed]

    def _file_name(self, kind: Kind, kinds: Mapping[str, Kind], *more: str) -> str:
        """Write the kind and all that changes its picture, and the run where the folder is not the run's own."""
        words = [kind.name, *more, *self.name_words(*(set(FIELDS) - fields_of_others(kind, kinds)))]
        out, run = (getattr(self, name) for name in ("out", "run"))
        return file_name(words if out is None or run is None else [*words, "run", run_word(run)])

    def _check_choices(self) -> None:
        """Refuse a value that its field does not list, and a seed below 0."""
        for name, hint in get_type_hints(type(self)).items():
            choices = [one for part in (hint, *get_args(hint)) if get_origin(part) is Literal for one in get_args(part)]
            value = getattr(self, name)
            if choices and value is not None and value not in choices:
                raise InputError(f"there is no {name} {value!r}; there is {', '.join(choices)}")
        parse_layers(self.layers)  # type: ignore[attr-defined]
        if self.seed < 0:  # type: ignore[attr-defined]
            raise InputError(f"a seed is 0 or more; got {self.seed}: pass `seed=0`")  # type: ignore[attr-defined]

    def _check_items(self, kinds: Sequence[str]) -> None:
        """Refuse a text that would only decide which tokens are the most frequent, where their number is not limited."""
        if set(kinds) == {"tokens"} and self.text is not None and self.items is None:  # type: ignore[attr-defined]
            raise InputError("`text` only decides which tokens are the most frequent: pass `items=2000` with it")

    def _misplaced(self, kinds: Mapping[str, Kind], chosen: Iterable[str]) -> tuple[str, list[str]] | None:
        """Find a field that was changed and concerns none of the chosen kinds, and the kinds that it concerns."""
        for name, _ in self._changed():
            concerned = [kind.name for kind in kinds.values() if name in kind.fields]
            if concerned and name not in self.LENIENT and not set(concerned) & set(chosen):
                return name, concerned
        return None


def fields_of_others(kind: Kind, kinds: Mapping[str, Kind]) -> set[str]:
    """List the fields that concern other kinds only."""
    return {name for other in kinds.values() for name in other.fields} - kind.fields


def several(values: Any) -> tuple[Any, ...]:
    """Take one text or group for a tuple of it."""
    return (values,) if isinstance(values, str | Group) else tuple(values)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Group):
        return {"name": value.name, "members": list(value.members)}
    return str(value) if isinstance(value, Path) else value


def _group(value: Any) -> Any:
    """Read a group that `_plain` wrote; other values stay as they are."""
    if isinstance(value, dict) and isinstance(value.get("members"), list) and "name" in value:
        return Group(str(value["name"]), tuple(value["members"]))
    return value


def _fits(value: Any, hint: Any) -> bool:
    """Check a value of a sidecar against the type of its field."""
    if get_args(hint) and get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str | Group) for one in value)
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_args(hint):
        return any(_fits(value, one) for one in get_args(hint))
    if hint is float or hint is int:
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, str if hint is Path else hint)
