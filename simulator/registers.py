"""Registers: named records of one kind, those that are shipped and those that installed packages offer.

A package offers one more in its pyproject.toml, under the entry-point group of the register:

    [project.entry-points."simulator.chart_kinds"]
    waffle = "our_package.waffle:KIND"

What is installed is looked through only for a name that is not shipped, and where all names are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from simulator.errors import InputError, near_name, near_or_all, shown

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints


def entry_points(*, group: str) -> EntryPoints:
    """List what installed packages offer under a group; the library that knows is loaded when it is asked."""
    from importlib import metadata

    return metadata.entry_points(group=group)


@dataclass(frozen=True, slots=True)
class Register[T]:
    """Named records of one kind; what is shipped goes before what packages offer under the same name.

    `what` is what a record is, as messages say it: `kind of chart`. `shipped` holds records, or texts
    `module:attribute` that are imported when the record is asked for. `form` is the class of the records, or says what
    functions they are.
    """

    what: str
    group: str
    shipped: Mapping[str, T | str]
    form: type | str = "function"

    def names(self) -> tuple[str, ...]:
        """List the names of all records: what is shipped in its order, then what packages offer, sorted."""
        offered = {point.name for point in entry_points(group=self.group)}
        return (*self.shipped, *sorted(offered - set(self.shipped)))

    def __contains__(self, name: object) -> bool:
        return name in self.shipped or name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def find(self, name: str, *, entry: str = "") -> T:
        """Find a record by its name; InputError, begun with `entry` or the name, where there is not exactly one.

        >>> laws = Register("law", "simulator.laws", {"half": "math:sqrt", "none": abs})
        >>> laws.find("half")(4.0)
        2.0
        """
        if name in self.shipped:
            found = self.shipped[name]
            return cast("T", attribute_at(found))
        offered = {point.value: point for point in entry_points(group=self.group) if point.name == name}
        start = entry or name
        if not offered:
            raise InputError(f"{start}: {' '.join(self.unknown(name))}")
        if len(offered) > 1:
            raise InputError(
                f"{start}: is offered by {len(offered)} installed packages ({', '.join(sorted(offered))}); which of "
                "them is meant cannot be told. Uninstall all but one."
            )
        return self._loaded(next(iter(offered.values())), start)

    def packages(self, names: Iterable[str]) -> dict[str, str]:
        """Give the packages that offer some of these names, each with its version; what is shipped is of none."""
        wanted = {*names} - {*self.shipped}
        points = entry_points(group=self.group) if wanted else ()
        return {each.dist.name: each.dist.version for each in points if each.name in wanted and each.dist}

    def usable(self) -> Iterator[tuple[str, T]]:
        """Give names and records; what a broken package offers is passed over, and refused where it is asked for."""
        for name in self:
            with suppress(InputError):
                yield name, self.find(name)

    def unknown(self, name: str) -> tuple[str, str]:
        """Say that there is no record of a name, and which there are: rule and remedy."""
        known = self.names()
        hint = near_or_all(name, known)
        rule = f"no {self.what} '{name}' is installed."
        return rule, f"{hint} A package offers its own under the entry points '{self.group}'."

    def expected(self, given: object) -> tuple[str, str]:
        """Say that what a file gives is none of the names: rule and remedy."""
        names = [f"'{name}'" for name in self.names()]
        known = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        rule = f"must be {'one of ' * (len(names) > 1)}{known}; got {shown(given)}."
        return rule, near_name(str(given), self.names())

    def _loaded(self, point: EntryPoint, start: str) -> T:
        if not point.value:
            rule = f"a package offers the {self.what} '{point.name}' and does not say where it is"
            raise InputError(f"{start}: {rule}. Its entry point must be module:attribute; mend the package.")
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 (its module may do anything)
            raise InputError(
                f"{start}: the installed {self.what} {point.value} cannot be imported: {error}. "
                "Mend or reinstall its package."
            ) from None
        if not (isinstance(found, self.form) if isinstance(self.form, type) else callable(found)):
            form = self.form.__name__ if isinstance(self.form, type) else self.form
            one = f"{'an' if form[0] in 'AEIOU' else 'a'} {form}"
            raise InputError(f"{start}: {point.value} is no {form}. Its package must offer {one} by that name.")
        return cast("T", found)


def attribute_at(place: object) -> Any:
    """Import what stands at `module:attribute`; what is no text is given back."""
    if not isinstance(place, str):
        return place
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
