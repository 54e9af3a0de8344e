"""The file `profiles.json`: in which variants the agents come, beside those that are built in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from anyond.editing import files
from anyond.model.configuration.settings import Executor, ExecutorProfileId, Variant
from anyond.model.refusals.requests import Impossible, Invalid
from anyond.settings.names import DEFAULT, executor_named, variant_name
from anyond.settings.variants import checked, same

Defaults = Mapping[Executor, Mapping[str, Variant]]
Fits = Callable[[Executor, Variant], None]
"""Raises `Impossible` if an agent cannot make anything of these options."""
_Own = dict[Executor, dict[str, Variant]]


class Profiles:
    """The built-in variants with those of a person laid over them; safe for several threads.

    The file holds only what differs. What it holds and we cannot read (an agent of a later
    version, an option of the wrong type) is left out with a sentence in `warnings`, and written
    back as it was. Of a file in another form the first change leaves a copy beside it.
    """

    def __init__(self, path: Path, defaults: Defaults, fits: Fits = lambda *_: None) -> None:
        """Read `path`; a missing file changes nothing, a damaged one is set aside.

        Args:
            defaults: the built-in variants, names in their canonical spelling.
            fits: what the agent itself says to the options of a variant before it is stored.

        Raises:
            Unavailable: the file is there, but cannot be read.
        """
        self.path = path
        self.warnings: list[str] = []
        self._earlier: list[str] = []  # those of the reading before
        self._defaults = defaults
        self._fits = fits
        self._lock = threading.Lock()
        self._own: _Own = {}
        self._unread: dict[str, dict[str, Any]] = {}
        self._flaws: dict[tuple[Executor, str], str] = {}  # why an own variant was not read
        self._foreign = False  # the file says something that we will not write again
        self._load()

    def executors(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """agent -> variant -> agent -> options: the shape of the API, agents in its order."""
        by_executor: dict[str, dict[str, dict[str, Variant]]] = {}
        for executor in Executor:
            merged = {**self._defaults.get(executor, {}), **self._own.get(executor, {})}
            if merged:
                names = sorted(merged, key=lambda name: name != DEFAULT)  # stable: DEFAULT first
                by_executor[executor.value] = {
                    name: {executor.value: merged[name]} for name in names
                }
        return by_executor

    def merged(self) -> dict[str, Any]:
        """The complete set, as `PUT /api/profiles` takes and answers it."""
        return {"executors": self.executors()}

    def content(self) -> str:
        """`merged` as JSON for people to edit."""
        return msgspec.json.format(msgspec.json.encode(self.merged()), indent=2).decode()

    def variant(
        self, profile: ExecutorProfileId, field: str = "executor_profile_id.variant"
    ) -> Variant:
        """The options of a variant; None as its name is DEFAULT.

        Args:
            field: where the client has named it.

        Raises:
            Impossible: that agent has no such variant; the message tells which there are. Or the
                person has one of that name that cannot be read: a built-in one that allows more
                must not take its place.
        """
        known = self.executors().get(profile.executor.value, {})
        asked = DEFAULT if profile.variant is None else profile.variant
        name = variant_name(asked) or asked
        if (flaw := self._flaws.get((profile.executor, name))) is not None:
            raise Impossible("executor_profile_id.variant", f"In {self.path}, {flaw}.")
        found = known.get(name)
        if found is None:
            there = f"there are {', '.join(known)}" if known else "it has none yet"
            raise Impossible(
                field,
                f"There is no variant {asked} of {profile.executor.value}; {there}.",
            )
        return dict(found[profile.executor.value])

    def update(self, body: bytes, *, replace: bool = False) -> dict[str, Any]:
        """Lay a set, or a part of one, over what is stored; blocks on the disk.

        A variant replaces the one of its name as a whole; null takes a variant of one's own away
        and brings a built-in one back. Variants that are not named stay.

        Args:
            replace: the set is complete: a variant of one's own that is not named in it, and that
                could be read, goes as if it were null.

        Returns:
            `merged`, as it is now.

        Raises:
            Invalid: names the place, like `executors.CLAUDE_CODE.PLAN.model`; nothing changed.
            Unavailable: the file could not be written; nothing changed.
        """
        change = list(_decoded(body))
        for executor, name, options in change:
            if options is not None:
                self._be_fit(executor, name, options)
        with self._lock:
            self._load()
            own = {executor: dict(variants) for executor, variants in self._own.items()}
            if replace:
                change += _missing(own, change)
            unread = {name: dict(variants) for name, variants in self._unread.items()}
            flaws = dict(self._flaws)
            for executor, name, options in change:
                mine = own.setdefault(executor, {})
                unread.get(executor.value, {}).pop(name, None)
                flaws.pop((executor, name), None)
                built_in = self._defaults.get(executor, {}).get(name)
                if options is None or (built_in is not None and same(options, built_in)):
                    mine.pop(name, None)
                else:
                    mine[name] = options
            if self._foreign and (copy := files.keep_copy(self.path)) is not None:
                log = structlog.get_logger(__name__)
                log.info("profiles_upgraded", file=str(self.path), before=copy.name)
            self._write(own, unread)
            self._own, self._unread, self._flaws = own, unread, flaws
        return self.merged()

    def _be_fit(self, executor: Executor, name: str, options: Variant) -> None:
        try:
            self._fits(executor, options)
        except Impossible as error:
            at = f"executors.{executor.value}.{name}.{error.field}"
            raise Invalid(at, str(error).removeprefix(f"{error.field}: ")) from error

    def _write(self, own: _Own, unread: dict[str, dict[str, Any]]) -> None:
        stored = {name: dict(variants) for name, variants in unread.items() if variants}
        for executor, variants in own.items():
            if variants:
                tagged = {name: {executor.value: options} for name, options in variants.items()}
                stored.setdefault(executor.value, {}).update(tagged)
        files.write_object(self.path, {"executors": stored})

    def _load(self) -> None:
        self._earlier, self.warnings = self.warnings, []
        found, damage = files.read_object(self.path)
        if damage is not None:
            self._warn(damage)
        if found is None:
            return  # what is in memory is the best that is known
        self._foreign = set(found) - {"executors"} != set()
        agents = found.get("executors", {})
        if not isinstance(agents, dict):
            self._warn(f"{self.path}: executors must be an object; its variants are left out.")
            self._foreign = True
            return
        own: _Own = {}
        unread: dict[str, dict[str, Any]] = {}
        flaws: dict[tuple[Executor, str], str] = {}
        for agent, variants in agents.items():
            for name, tagged in variants.items() if isinstance(variants, dict) else ():
                try:
                    for executor, canonical, options in _variants({agent: {name: tagged}}):
                        if options is not None:
                            own.setdefault(executor, {})[canonical] = options
                except Invalid as error:
                    self._warn(f"{self.path}: {error}; this variant is left out.")
                    unread.setdefault(agent, {})[name] = tagged
                    known, meant = executor_named(agent), variant_name(name)
                    if known is not None and meant is not None:
                        flaws[known, meant] = str(error)
        for executor, name in flaws.keys() & {
            (e, name) for e, mine in own.items() for name in mine
        }:
            del flaws[executor, name]  # it is there in another spelling, too
        self._own, self._unread, self._flaws = own, unread, flaws

    def _warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        if sentence not in self._earlier:
            structlog.get_logger(__name__).warning(sentence)


def _missing(
    own: _Own, change: list[tuple[Executor, str, Variant | None]]
) -> list[tuple[Executor, str, Variant | None]]:
    named = {(executor, name) for executor, name, _ in change}
    return [(e, name, None) for e, mine in own.items() for name in mine if (e, name) not in named]


def _decoded(body: bytes) -> Iterator[tuple[Executor, str, Variant | None]]:
    try:
        found = msgspec.json.decode(body)
        if isinstance(found, str):  # the set as a text in JSON: what `content` is, sent back
            found = msgspec.json.decode(found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("body", f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Invalid("body", "must be a JSON object")
    if not isinstance(found.get("executors"), dict):
        raise Invalid("executors", "must be an object of agents")
    return _variants(found["executors"])


def _variants(agents: dict[str, Any]) -> Iterator[tuple[Executor, str, Variant | None]]:
    for agent, variants in agents.items():
        executor = executor_named(agent)
        at = f"executors.{agent}"
        if executor is None:
            raise Invalid(at, f"is not an agent of ours; they are {', '.join(Executor)}")
        if variants is None:
            raise Invalid(
                at,
                "an agent cannot be deleted; set one of its variants to null to delete that one, "
                "or to bring it back if it is built in",
            )
        if not isinstance(variants, dict):
            raise Invalid(at, "must be an object of variants")
        # Of two spellings of one name the canonical one wins: it comes last.
        for name in sorted(variants, key=lambda name: name == variant_name(name)):
            canonical = variant_name(name)
            if canonical is None:
                raise Invalid(f"{at}.{name}", "is not a name; use letters, digits and _")
            yield executor, canonical, _untagged(f"{at}.{canonical}", executor, variants[name])


def _untagged(at: str, executor: Executor, tagged: object) -> Variant | None:
    if tagged is None:
        return None
    if not isinstance(tagged, dict) or len(tagged) != 1:
        raise Invalid(at, f"must be an object with the one key {executor.value}")
    [(tag, options)] = tagged.items()
    if executor_named(tag) is not executor:
        raise Invalid(at, f"must be of {executor.value}, and not of {tag}")
    return checked(at, executor, options)
