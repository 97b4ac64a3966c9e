"""What a shell offers at the tab key: names of games, rules, figures, claims' papers and shipped configs."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def _beginning(names: Iterable[str], typed: str) -> list[str]:
    return [name for name in names if name.lower().startswith(typed.lower())]


def _registered(room: str) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        from .listing import rooms

        return _beginning((n for entry in rooms()[room] for n in (entry.name, *entry.aliases)), incomplete)

    return complete


games, rules = _registered("games"), _registered("rules")


def figures(incomplete: str) -> list[str]:
    """Names of the published figures."""
    from .. import figures as room

    return _beginning(room.figures(), incomplete)


def configs(incomplete: str) -> list[str]:
    """Names of the shipped configs."""
    from ..gans.training.config import shipped

    return _beginning(shipped(), incomplete)


def cited(incomplete: str) -> list[str]:
    """Whatever has papers behind it, and their keys."""
    from .listing import rooms
    from .papers import bibliography

    return _beginning([*(entry.name for room in rooms().values() for entry in room), *bibliography()], incomplete)
