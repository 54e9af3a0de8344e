"""The daemon cannot be asked to do what is not safe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anyond.cli.serve import serve
from anyond.host.app_paths import AppPaths
from anyond.model.configuration.variables import Variable
from anyond.model.refusals.requests import Invalid
from anyond.settings import reference
from anyond.settings.options import Auth, LogFormat, Option, Options, declared_options

PATHS = AppPaths.under(Path("/nowhere"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", None])
def test_loopback_needs_no_token(host: str | None) -> None:
    assert Options(paths=PATHS, host=host).host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.168.1.2", "::ffff:8.8.8.8", "example.org", "0", "127.1"]
)
def test_what_others_can_reach_needs_a_token(host: str) -> None:
    with pytest.raises(Invalid, match="Add --auth token"):
        Options(paths=PATHS, host=host)
    assert Options(paths=PATHS, host=host, auth=Auth.TOKEN).host == host


@pytest.mark.parametrize("origin", ["*", "null", "localhost", "http://", "http://a/b", "http://A"])
def test_only_an_origin_is_an_origin(origin: str) -> None:
    with pytest.raises(Invalid, match="--allowed-origin"):
        Options(paths=PATHS, allowed_origins=(origin,))


@pytest.mark.parametrize("host", ["*", "", "a/b", "a b"])
def test_only_a_name_is_an_allowed_host(host: str) -> None:
    with pytest.raises(Invalid, match="--allowed-host"):
        Options(paths=PATHS, allowed_hosts=(host,))


def test_good_names_are_taken() -> None:
    options = Options(
        paths=PATHS,
        allowed_hosts=("box.lan",),
        allowed_origins=("http://localhost:3000", "https://box.lan", "http://[::1]:3000"),
    )
    assert options.allowed_hosts == ("box.lan",)


ALL = declared_options()


def test_what_is_not_given_has_its_default() -> None:
    nothing = {one.name: () if one.repeatable else None for one in ALL}
    assert Options.given(PATHS, nothing) == Options(paths=PATHS)
    assert Options.given(PATHS, {}) == Options(paths=PATHS)


def test_a_unix_socket_alone_takes_the_place_of_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    options = Options.given(PATHS, {"unix": Path("run/socket")})
    assert (options.host, options.unix) == (None, Path("/run/socket"))
    for more in ({"host": "::1"}, {"port": 0}):
        assert Options.given(PATHS, {"unix": Path("socket"), **more}).host is not None


def test_names_are_understood_in_any_case() -> None:
    given = {"allowed_hosts": ("Box.LAN",), "allowed_origins": ("HTTPS://Box.lan/",)}
    options = Options.given(PATHS, {**given, "auth": "token", "log_format": "json"})
    assert options.allowed_hosts == ("box.lan",)
    assert options.allowed_origins == ("https://box.lan",)
    assert (options.auth, options.log_format) == (Auth.TOKEN, LogFormat.JSON)


@pytest.mark.parametrize("one", [one for one in ALL if one.bounds], ids=lambda one: one.flag)
def test_a_number_beyond_its_bounds_is_refused_by_the_name_of_its_option(one: Option) -> None:
    assert one.bounds is not None
    low, high = one.bounds
    for bound, beyond in ((low, low - 1), (high, high + 1)):
        allowed: dict[str, Any] = {one.name: bound}
        refused: dict[str, Any] = {one.name: beyond}
        assert getattr(Options(paths=PATHS, **allowed), one.name) == bound
        with pytest.raises(Invalid, match=f"^{one.flag}: must be from {low} to {high}$"):
            Options(paths=PATHS, **refused)


def test_the_command_and_the_page_have_what_is_declared() -> None:
    page = reference.page()
    for one, made in zip(ALL, serve.params, strict=True):
        assert (made.name, made.opts, made.envvar) == (one.name, [one.flag], one.variable)
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{one.flag}` |")]
        assert one.text in row
        assert one.variable is None or f"`{one.variable}`" in row
    for variable in Variable:
        assert f"| `{variable.value}` | {variable.text} |" in page


def test_a_variable_counts_where_the_command_line_says_nothing() -> None:
    variables = [one.variable for one in ALL if one.variable]
    assert variables == ["ANYON_HOST", "ANYON_PORT", "ANYON_VK_PORT"]
    with pytest.MonkeyPatch.context() as environment:
        for variable in variables:
            environment.delenv(variable, raising=False)
        nothing = serve.make_context("serve", []).params
        assert {value for value in nothing.values() if value != ()} == {None}
        environment.setenv("ANYON_PORT", "2")
        assert serve.make_context("serve", []).params["port"] == 2
        assert serve.make_context("serve", ["--port", "1"]).params["port"] == 1
        environment.setenv("ANYON_PORT", "")
        assert Options.given(PATHS, serve.make_context("serve", []).params).port == 8096
