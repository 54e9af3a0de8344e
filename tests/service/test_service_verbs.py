"""The service under a real user manager of systemd, from an empty home."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.daemon import alive
from tests.support.services.user_manager import LoggedIn, free_port, logged_in, why_not

pytestmark = [
    pytest.mark.cold_start,
    pytest.mark.skipif(why_not() is not None, reason=f"No user manager here: {why_not()}"),
]


@pytest.fixture
def person() -> Iterator[LoggedIn]:
    with logged_in() as made:
        # Where agents are installed, known to terminals only.
        (made.home / ".bashrc").write_text('export PATH="$HOME/agents/bin:$PATH"\n')
        yield made


def unit_path(person: LoggedIn) -> Path:
    return person.home / ".config/systemd/user/anyond.service"


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def test_it_is_installed_looked_at_restarted_and_removed(person: LoggedIn) -> None:
    port = str(free_port())
    made = person.json("service", "install", "--", "--port", port)
    assert made["url"] == f"http://127.0.0.1:{port}"
    assert made["program"] == [str(person.root / "bin/anyon")]
    assert made["path"].split(":")[0] == str(person.home / "agents/bin")
    found = person.json("service", "status")
    assert (found["running"], found["at_login"], found["origin"]) == (True, True, "ours")
    assert found["url"] == made["url"]
    assert environment_of(found["pid"])["PATH"] == made["path"]
    assert person.json("status")["pid"] == found["pid"]
    checked = person.run("systemd-analyze", "--user", "verify", str(unit_path(person)))
    assert (checked.returncode, checked.stderr) == (0, "")

    refused = person.run("anyon", "stop-daemon", "--json")
    assert json.loads(refused.stderr)["error"]["type"] == "managed"
    again = person.json("service", "restart")
    assert again["url"] == made["url"]
    assert again["pid"] != found["pid"]
    assert f"http://127.0.0.1:{port}" in person.anyon("service", "logs")

    person.anyon("service", "uninstall")
    assert not alive(again["pid"])
    assert not unit_path(person).exists()
    gone = person.run("anyon", "service", "status", "--json")
    assert (gone.returncode, json.loads(gone.stdout)["origin"]) == (7, "absent")
    assert person.run("anyon", "service", "uninstall").returncode == 8


def test_a_terminal_is_shown_the_path_and_the_address(person: LoggedIn) -> None:
    port = str(free_port())
    with person.terminal("service", "install", "--", "--port", port) as shown:
        shown.expect("PATH (/bin/bash):\n")
        shown.expect(str(person.home / "agents/bin"))
        shown.expect(f"http://127.0.0.1:{port}\n")
        assert shown.end() == 0
    with person.terminal("service", "status") as shown:
        shown.expect("● anyond.service: active (running)")
        assert shown.end() == 0
    with person.terminal("service", "logs", "-f") as shown:
        shown.expect(f"http://127.0.0.1:{port}")
        shown.type("\x03")
        assert shown.end() != 0
    with person.terminal("service", "restart") as shown:
        shown.expect(f"http://127.0.0.1:{port}\n")
        assert shown.end() == 0
    with person.terminal("service", "uninstall") as shown:
        shown.expect("Removed: ")
        assert shown.end() == 0


def test_it_is_installed_again_with_what_has_changed(person: LoggedIn) -> None:
    port = str(free_port())
    first = person.json("service", "install", "--", "--port", port)
    (person.home / ".bashrc").write_text('export PATH="$HOME/more/bin:$PATH"\n')
    second = person.json("service", "install")
    assert second["path"].split(":")[0] == str(person.home / "more/bin")
    assert (second["url"], second["arguments"]) == (first["url"], ["--port", port])
    assert environment_of(person.json("service", "status")["pid"])["PATH"] == second["path"]


def test_what_it_did_not_write_stays(person: LoggedIn) -> None:
    place = unit_path(person)
    place.parent.mkdir(parents=True)
    place.write_text("[Service]\nExecStart=/bin/true\n")
    for force in ([], ["--force"]):
        for verb in ("install", "uninstall"):
            refused = person.run("anyon", "service", verb, *force)
            assert refused.returncode == 8
            assert str(place) in refused.stderr
    assert place.read_text() == "[Service]\nExecStart=/bin/true\n"
    place.unlink()
    person.anyon("service", "install", "--", "--port", "0")
    edited = place.read_text() + "# mine\n"
    place.write_text(edited)
    refused = person.run("anyon", "service", "install")
    assert (refused.returncode, place.read_text()) == (8, edited)
    assert "edited" in refused.stderr
    person.anyon("service", "install", "--force")
    assert place.with_name("anyond.service.edited-1").read_text() == edited
    assert "# mine" not in place.read_text()
    assert person.json("service", "status")["origin"] == "ours"


def test_the_first_request_starts_it_behind_a_socket(person: LoggedIn) -> None:
    port = str(free_port())
    made = person.json("service", "install", "--socket", "--", "--port", port)
    assert len(made["files"]) == 2
    assert person.run("systemctl", "--user", "is-enabled", "anyond.socket").stdout == "enabled\n"
    assert person.run("systemctl", "--user", "stop", "anyond.service").returncode == 0
    found = json.loads(person.run("anyon", "service", "status", "--json").stdout)
    assert (found["running"], found["at_login"]) == (False, True)
    assert found["state"] == "waiting for the first request"
    assert person.run("anyon", "status", "--url", made["url"]).returncode == 0
    assert person.json("service", "status")["running"]
    # Installed again it stays behind its socket, until that is to go.
    assert person.json("service", "install")["socket"] is True
    assert person.json("service", "install", "--no-socket")["url"] == made["url"]
    assert not unit_path(person).with_suffix(".socket").exists()


def test_agents_go_on_while_it_is_installed_restarted_and_removed(person: LoggedIn) -> None:
    repository = person.home / "tea"
    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    commit = ["git", "commit", "-q", "--allow-empty", "-m", "First"]
    assert person.run(*commit, cwd=repository).returncode == 0
    # `anyon run` starts a daemon of its own, which the service replaces.
    started = person.run(
        "anyon", "run", "-y", "-d", "Tea", "-a", "demo", "--json", cwd=repository, ANYON_PORT="0"
    )
    assert started.returncode == 0, started.stderr
    former = person.json("status")["pid"]
    shims = shims_of(person)
    assert len(shims) == 1
    person.anyon("service", "install", "--", "--port", "0")
    assert not alive(former)
    assert shims_of(person) == shims
    second = person.run("anyon", "run", "-y", "-d", "More", "-a", "demo", cwd=repository)
    assert second.returncode == 0, second.stderr
    shims = shims_of(person)
    assert len(shims) == 2
    person.anyon("service", "restart")
    person.anyon("service", "install")
    assert shims_of(person) == shims
    # Each that the service has started is in a scope of its own, with all that it has started.
    new = max(shims, key=lambda pid: psutil.Process(pid).create_time())
    scope = scope_of(person, new)
    programs = psutil.Process(new).children(recursive=True)
    assert programs
    assert {group_of(one.pid) for one in programs} == {scope}
    assert scope.rpartition("/")[2].startswith("anyon-")
    states = {one["state"] for one in person.json("ps")}
    assert states <= {"running", "question"}
    person.anyon("service", "uninstall")
    assert shims_of(person) == shims
    assert all(map(alive, shims))


def test_from_nothing_to_a_merged_change(person: LoggedIn) -> None:
    repository = person.home / "tea"
    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    commit = ["git", "commit", "-q", "--allow-empty", "-m", "First"]
    assert person.run(*commit, cwd=repository).returncode == 0
    person.anyon("service", "install", "--", "--port", "0")
    with person.terminal("run", "Describe the tea timer", "-a", "demo", cwd=repository) as shown:
        shown.expect("a project of Anyon? [Y/n]")
        shown.type("\n")
        shown.expect("[y]es")
        shown.type("y")
        shown.expect("1 finished")
        assert shown.end() == 0
    assert person.run("anyon", "merge", "-", cwd=repository).returncode == 0
    assert (repository / "NOTES.md").exists()
    found = json.loads(person.run("anyon", "doctor", "--json").stdout)
    levels = {one["check"]: one["level"] for one in found["checks"]}
    well = ("daemon", "path", "database", "worktrees", "shims", "repositories")
    assert {name: levels[name] for name in well} == dict.fromkeys(well, "ok")


def test_lingering_that_the_system_refuses_is_said_and_the_service_runs(person: LoggedIn) -> None:
    # There is no logind beside this user manager.
    done = person.run("anyon", "service", "install", "--linger", "--", "--port", "0")
    assert done.returncode == 1
    assert "loginctl enable-linger" in done.stderr
    assert done.stdout.startswith("http://127.0.0.1:")
    assert person.json("service", "status")["running"]


def scope_of(person: LoggedIn, pid: int) -> str:
    """The group of a shim, as soon as that is a scope."""
    deadline = time.monotonic() + 60
    while not (group := group_of(pid)).endswith(".scope"):
        assert time.monotonic() < deadline, (group, person.journal())
        time.sleep(0.05)
    return group


def group_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text().strip().rpartition(":")[2]


def shims_of(person: LoggedIn) -> set[int]:
    """The shims whose programs run, as soon as each has one."""
    deadline = time.monotonic() + 60
    root = person.home / ".local/share/anyon/executions"
    while time.monotonic() < deadline:
        done = subprocess.run(
            ["pgrep", "-f", str(root)], capture_output=True, text=True, check=False
        )
        found = {int(line) for line in done.stdout.split()}
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(person.journal())
