"""A setting is what its one declaration says: checked, masked, described and documented by it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Struct

from anyond.generated import run
from anyond.http.openapi.document import document
from anyond.model.configuration.project_settings import ProjectSettings
from anyond.model.configuration.settings import Config
from anyond.model.fields import Group, setting
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import Project
from anyond.settings import reference
from anyond.settings.config import MASK, ConfigFile
from anyond.settings.declared import Setting, groups, setting_of, settings_of, single_settings
from anyond.settings.shape import fit, merge
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "settings.md"
ALL = list(single_settings(Config))
NUMBERS = [(path, one) for path, one in ALL if one.bounds is not None]


def named(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A body in which `path` leads to `value`."""
    for key in reversed(path):
        value = {key: value}
    found: dict[str, Any] = value
    return found


def ids(found: tuple[tuple[str, ...], Setting]) -> str:
    return ".".join(found[0])


def refused(tmp_path: Path, path: tuple[str, ...], value: Any) -> str:
    """What the sentence says when a setting shall be `value`; the field is that which was named."""
    with pytest.raises(Invalid) as refusal:
        ConfigFile(tmp_path / "config.json").patch(named(path, value))
    assert refusal.value.field == ".".join(path)
    return str(refusal.value).removeprefix(f"{refusal.value.field}: ")


@pytest.mark.parametrize("found", ALL, ids=ids)
def test_a_value_of_another_type_is_refused_by_the_name_of_the_setting(
    tmp_path: Path, found: tuple[tuple[str, ...], Setting]
) -> None:
    path, one = found
    assert refused(tmp_path, path, {"odd": 1}) == one.expected()


@pytest.mark.parametrize("found", NUMBERS, ids=ids)
def test_a_number_may_be_its_bounds_and_nothing_beyond(
    tmp_path: Path, found: tuple[tuple[str, ...], Setting]
) -> None:
    path, one = found
    assert one.bounds is not None
    for bound, beyond in zip(one.bounds, (-1, 1), strict=True):
        assert ConfigFile(tmp_path / "config.json").patch(named(path, bound))
        assert refused(tmp_path, path, bound + beyond) == f"must be {one.span}"


def test_every_secret_is_masked_and_its_mask_keeps_it(tmp_path: Path) -> None:
    secrets = [path for path, one in ALL if one.secret]
    assert ("github", "pat") in secrets
    settings = ConfigFile(tmp_path / "config.json")
    for path in secrets:
        settings.patch(named(path, "precious"))
        displayed: Any = settings.public()
        settings.patch(named(path, MASK))
        saved: Any = settings.config
        for key in path:
            displayed, saved = displayed[key], getattr(saved, key)
        assert (displayed, saved) == (MASK, "precious")


def test_the_description_of_the_api_says_what_is_declared() -> None:
    schemas = document()["components"]["schemas"]

    def compare(struct: type[Struct], name: str) -> None:
        for one in settings_of(struct):
            schema = schemas[name]["properties"][one.name]
            if one.text:
                assert schema["description"] == one.text
            if one.bounds is not None:
                assert (schema["minimum"], schema["maximum"]) == one.bounds
            if one.object is not None:
                compare(one.object, schema["$ref"].rsplit("/", 1)[1])

    compare(Config, "Config")
    compare(Config, "ConfigInput")


def test_any_part_of_the_settings_can_be_sent() -> None:
    schemas = document()["components"]["schemas"]
    assert {group.__name__ for group in groups(Config)} >= {"Notifications", "Editor", "GitHub"}
    for name in (
        "ConfigInput",
        "NotificationConfigInput",
        "EditorConfigInput",
        "GitHubConfigInput",
    ):
        assert not schemas[name].get("required")
        # What is left out stays as it is.
        assert [p for p in schemas[name]["properties"].values() if "default" in p] == []


def test_the_page_is_what_is_declared_and_lacks_nothing(tmp_path: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page()
    page = reference.page()
    for path, one in ALL:
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{'.'.join(path)}` |")]
        assert one.text in row
        assert one.span in row
    copy = tmp_path / "settings.md"
    assert run(["--check", str(copy)], lambda _: page, "make settings") == 1
    assert run([str(copy)], lambda _: page, "make settings") == 0
    assert run(["--check", str(copy)], lambda _: page, "make settings") == 0


def test_the_settings_of_a_project_are_the_same_wherever_they_are() -> None:
    schemas = document()["components"]["schemas"]
    page = reference.page()
    for name in ProjectSettings.__struct_fields__:
        text = setting_of(Project, name).text
        for where in ("Project", "CreateProject", "UpdateProject"):
            assert schemas[where]["properties"][name]["description"] == text
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert text in row


class Inner(Struct, frozen=True, kw_only=True):
    """Made up."""

    word: Annotated[str, setting("A word.", check="branch_prefix")] = "a"
    few: Annotated[int | None, setting("Few.", ge=1, le=3)] = None


class Outer(Struct, frozen=True, kw_only=True):
    share: Annotated[float, setting("A share.", Group.AGENTS, ge=0, le=1)] = 0.5
    inner: Inner = Inner()


def test_a_new_setting_needs_nothing_but_its_declaration() -> None:
    assert fit(Outer, {"share": 0.25, "inner": {"few": 2}}) == (
        Outer(share=0.25, inner=Inner(few=2)),
        [],
    )
    made, flaws = fit(Outer, {"share": float("nan"), "inner": {"word": "a b", "few": 4}})
    assert made == Outer()
    assert flaws == [
        ("share", "must be from 0 to 1"),
        ("inner.word", "must be one part of a branch name that Git accepts, without a slash"),
        ("inner.few", "must be from 1 to 3"),
    ]
    assert merge(
        Outer, {"share": 1, "inner": {"few": 2}}, {"share": None, "inner": {"few": None}}
    ) == {
        "share": 1,
        "inner": {"few": None},
    }


class Silent(Struct):
    word: str = ""


class Boundless(Struct):
    number: Annotated[float | None, setting("A number.", ge=1)] = None


class Bounded(Struct):
    word: Annotated[str, setting("A word.", ge=1, le=2)] = ""


class Unchecked(Struct):
    word: Annotated[str, setting("A word.", check="nobody")] = ""


@pytest.mark.parametrize("struct", [Silent, Boundless, Bounded, Unchecked])
def test_half_a_declaration_is_none(struct: type[Struct]) -> None:
    with pytest.raises(TypeError, match=rf"^{struct.__name__}\.(number|word) "):
        settings_of(struct)
