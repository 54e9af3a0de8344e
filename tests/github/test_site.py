"""What belongs to a GitHub, and where alone a token may go."""

from __future__ import annotations

import pytest

from anyond.github.site import RepositoryName, Site
from anyond.model.addresses import Address, without_user
from anyond.model.refusals.requests import Invalid

ENTERPRISE = Site.of({"ANYON_GITHUB_URL": "https://git.example.com/"})


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        ("https://github.com/o/r", "https", "github.com", 443, "o/r"),
        ("https://GitHub.com/o/r.git/", "https", "github.com", 443, "o/r"),
        ("https://me:secret@github.com:8443/o/r.git", "https", "github.com", 8443, "o/r"),
        ("git@github.com:o/r.git", "ssh", "github.com", 22, "o/r"),
        ("github.com:o/r/", "ssh", "github.com", 22, "o/r"),
        ("git@[::1]:o/r", "ssh", "::1", 22, "o/r"),
        ("ssh://git@ssh.github.com:443/o/r.git", "ssh", "ssh.github.com", 443, "o/r"),
        ("git+ssh://git@github.com/o/r", "ssh", "github.com", 22, "o/r"),
        ("git://github.com/o/r.git", "git", "github.com", 9418, "o/r"),
        ("/srv/git/r.git", "file", "", 0, "srv/git/r"),
        ("./a:b", "file", "", 0, "./a:b"),
        ("file:///srv/r.git", "file", "", 0, "srv/r"),
        ("https://github.com:many/o/r", "unknown", "", 0, ""),
        ("ext::sh -c 'nc github.com:o/r'", "unknown", "", 0, ""),
    ],
)
def test_an_address_is_read_in_each_of_its_forms(
    text: str, scheme: str, host: str, port: int, path: str
) -> None:
    assert Address.parse(text) == Address(scheme, host, port, path)


def test_a_user_is_taken_out_of_an_address() -> None:
    assert without_user("https://me:s@cret@github.com/o/r@2") == "https://github.com/o/r@2"
    assert without_user("https://github.com/o/r@2") == "https://github.com/o/r@2"


@pytest.mark.parametrize(
    ("remote", "here"),
    [
        ("https://github.com/o/r.git", True),
        ("https://github.com:443/o/r", True),
        ("http://github.com/o/r", False),
        ("https://github.com:8443/o/r", False),
        ("https://github.com.evil.example/o/r", False),
        ("https://evil.example/github.com/o/r", False),
        ("https://github.com@evil.example/o/r", False),
        ("git@github.com:o/r", False),
        ("/github.com/o/r", False),
    ],
)
def test_the_token_goes_to_one_place_only(remote: str, here: bool) -> None:
    assert Site().takes_token(Address.parse(remote)) is here


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/o/r.git",
        "git@github.com:o/r.git",
        "ssh://git@github.com/o/r",
        "ssh://git@ssh.github.com:443/o/r.git",
    ],
)
def test_a_repository_is_found_by_any_address_of_it(remote: str) -> None:
    assert Site().repository(Address.parse(remote)) == RepositoryName("o", "r")
    assert ENTERPRISE.repository(Address.parse(remote)) is None


@pytest.mark.parametrize("path", ["o", "o/r/s", "o/..", "o/r?x", "../r", "o/r%2F", "ö/r", ""])
def test_what_is_no_name_of_a_repository_never_becomes_a_path(path: str) -> None:
    assert Site().repository(Address.parse(f"https://github.com/{path}")) is None


def test_a_pull_request_is_named_by_its_address() -> None:
    found = Site().pull_request("https://github.com/o/r/pull/456")
    assert found == (RepositoryName("o", "r"), 456)
    for url in (
        "https://github.com/o/r/pull/456/files",
        "https://github.com/o/r/issues/456",
        "https://github.com.evil/o/r/pull/4",
    ):
        assert Site().pull_request(url) is None


@pytest.mark.parametrize(
    ("environ", "web", "api"),
    [
        ({}, "https://github.com", "https://api.github.com"),
        (
            {"ANYON_GITHUB_URL": "https://git.example.com/"},
            "https://git.example.com",
            "https://git.example.com/api/v3",
        ),
        (
            {"ANYON_GITHUB_API_URL": "https://git.example.com/api/v3"},
            "https://git.example.com",
            "https://git.example.com/api/v3",
        ),
        (
            {"ANYON_GITHUB_URL": "https://octo.ghe.com"},
            "https://octo.ghe.com",
            "https://api.octo.ghe.com",
        ),
        (
            {"ANYON_GITHUB_API_URL": "https://api.github.com"},
            "https://github.com",
            "https://api.github.com",
        ),
        (
            {"ANYON_GITHUB_URL": "http://127.0.0.1:80", "ANYON_GITHUB_API_URL": "https://a"},
            "http://127.0.0.1:80",
            "https://a",
        ),
    ],
)
def test_one_address_gives_the_other(environ: dict[str, str], web: str, api: str) -> None:
    site = Site.of(environ)
    assert (site.web, site.api) == (web, api)


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.com",
        "git.example.com",
        "https://",
        "https://me@x",
        "https://x:y",
        "ftp://x",
    ],
)
def test_an_address_that_would_carry_the_token_in_the_clear_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="ANYON_GITHUB_URL"):
        Site.of({"ANYON_GITHUB_URL": url})
