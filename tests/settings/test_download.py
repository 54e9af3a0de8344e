"""What a person's address gives, and all that can be wrong with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from anyond.cli import main
from anyond.editing import files
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.refusals.requests import Invalid
from anyond.settings import download

HERON = {"id": "heron", "name": "Heron", "distribution": {"npx": {"package": "heron@1"}}}


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved.json":
            self.send_response(302)
            self.send_header("Location", "/list.json")
            self.end_headers()
        elif self.path == "/circle":
            self.send_response(302)
            self.send_header("Location", "/circle")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"[" * 65536)
            except OSError:
                pass
        elif self.path == "/list.json":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"agents": [HERON]}).encode())
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("page", ["list.json", "moved.json"])
def test_a_list_is_taken_in_from_an_address(site: str, page: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    runner = CliRunner(env={"ANYON_CONFIG_DIR": str(config), "ANYON_DATA_DIR": str(tmp_path)})
    done = runner.invoke(main, ["agents", "refresh", f"{site}/{page}"])
    assert done.exit_code == 0, done.output
    [agent] = json.loads((config / "acp-agents.json").read_bytes())["agents"]
    assert (agent["id"], agent["command"]) == ("heron", ["heron"])
    lost = runner.invoke(main, ["agents", "refresh", f"{site}/no.json"])
    assert (lost.exit_code, lost.output) == (1, f"{site}/no.json answers 404 Not Found.\n")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("/no", "answers 404 Not Found"),
        ("/circle", "cannot be had: .*redirects"),
        ("/endless", f"is larger than {files.LARGEST} bytes"),
    ],
)
def test_what_cannot_be_had_is_told(site: str, page: str, why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        download.download(site + page)


def test_a_site_that_is_not_there_and_one_that_dawdles_are_told(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1/ cannot be had"):
        download.download("http://127.0.0.1:1/")
    monkeypatch.setattr(download, "TIMEOUT_S", 0.0001)
    with pytest.raises(Unavailable, match=r"cannot be had|takes longer"):
        download.download(f"{site}/endless")


@pytest.mark.parametrize(
    "odd", ["http://", "https://[", "http://\x00", "http://a b/", "http://é:99999/"]
)
def test_no_address_is_too_odd_to_be_refused(odd: str) -> None:
    assert download.is_address(odd)
    with pytest.raises(AnyondError) as refused:
        download.download(odd)
    assert isinstance(refused.value, Invalid | Unavailable)
