"""The daemon cannot be asked to do what is not safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.host.places import Places
from anyond.model.errors import Invalid
from anyond.settings.options import Auth, Options

PLACES = Places.under(Path("/nowhere"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", None])
def test_loopback_needs_no_token(host: str | None) -> None:
    assert Options(places=PLACES, host=host).host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.168.1.2", "::ffff:8.8.8.8", "example.org", "0", "127.1"]
)
def test_what_others_can_reach_needs_a_token(host: str) -> None:
    with pytest.raises(Invalid, match="Add --auth token"):
        Options(places=PLACES, host=host)
    assert Options(places=PLACES, host=host, auth=Auth.TOKEN).host == host


@pytest.mark.parametrize("origin", ["*", "null", "localhost", "http://", "http://a/b", "http://A"])
def test_only_an_origin_is_an_origin(origin: str) -> None:
    with pytest.raises(Invalid, match="--allowed-origin"):
        Options(places=PLACES, allowed_origins=(origin,))


@pytest.mark.parametrize("host", ["*", "", "a/b", "a b"])
def test_only_a_name_is_an_allowed_host(host: str) -> None:
    with pytest.raises(Invalid, match="--allowed-host"):
        Options(places=PLACES, allowed_hosts=(host,))


def test_good_names_are_taken() -> None:
    options = Options(
        places=PLACES,
        allowed_hosts=("box.lan",),
        allowed_origins=("http://localhost:3000", "https://box.lan", "http://[::1]:3000"),
    )
    assert options.allowed_hosts == ("box.lan",)
