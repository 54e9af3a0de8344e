"""Agents of the Agent Client Protocol by their names: the catalog, the command, the login."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from anyond.agents.acp.named import NamedAcp, NamedOptions
from anyond.agents.acp.registry import catalog, registry_format
from anyond.agents.acp.registry.catalog import CATALOG, Catalog, KnownAgent, machine
from anyond.agents.common.core import Outcome, Turn, TurnEnded
from anyond.agents.common.variant import decode
from anyond.agents.roster import AGENTS, fits
from anyond.model.configuration.settings import Executor
from anyond.model.entries import ErrorMessage, SetupRequired
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries
from tests.support.dialogues.acp_talk import Talk

DEMANDED = {"code": -32000, "message": "Authentication required"}
LOGINS = [
    {"id": "tty", "name": "In a terminal", "type": "terminal"},
    {"id": "key", "name": "By key", "type": "env_var", "vars": [{"name": "PARROT_KEY"}]},
    {"id": "account", "name": "By account"},
    {"id": "other", "name": "By another account", "type": "agent"},
]


def turn(**options: Any) -> Turn:
    return Turn(prompt="do it", cwd="/w", options=options)


class Named(Talk):
    """The same conversation with an agent that a variant names."""

    agent = NamedAcp(command=("agent",))


@pytest.fixture
def parrot() -> Iterator[KnownAgent]:
    agent = KnownAgent(
        id="parrot",
        name="Parrot",
        command=("parrot", "talk", "--acp"),
        commands={machine(): ("parrot-here", "--acp")},
        env={"PARROT_UPDATES": "off"},
        install="Install it with `npm install -g parrot`.",
        login="Log in with `parrot login`.",
    )
    CATALOG.lay_over([agent])
    yield agent
    CATALOG.lay_over([])


def test_every_agent_that_is_shipped_can_be_started_and_installed() -> None:
    assert len(CATALOG) > 120
    assert len({(*agent.command, agent.name) for agent in CATALOG}) == len(CATALOG)
    for agent in CATALOG:
        launch = AGENTS[Executor.ACP].launch(turn(agent=agent.id))
        assert launch.argv == tuple(agent.here)
        assert launch.install == agent.install
        assert agent.install.startswith("Install it ")
        assert agent.install.endswith(".")


def test_the_list_that_is_shipped_has_a_line_for_each_agent_in_order() -> None:
    CATALOG.lay_over([])
    lines = (
        files("anyond.agents.acp.registry").joinpath("agents.json").read_text("utf-8").splitlines()
    )
    rows = [json.loads(line.rstrip(",")) for line in lines if '"id"' in line]
    assert [row["id"] for row in rows] == [agent.id for agent in CATALOG]


@pytest.mark.parametrize(
    "id",
    [
        *("kilo", "mistral-vibe", "cline", "auggie", "qoder", "goose", "junie", "kiro"),
        *("grok-build", "kimi", "pi-acp", "openhands", "antigravity-acp", "rovo-dev", "bob"),
    ],
)
def test_the_agents_that_people_ask_for_are_known(id: str) -> None:
    assert CATALOG.find(id.upper()).id == id


def test_a_variant_lays_its_own_over_the_command_and_the_environment(parrot: KnownAgent) -> None:
    here = NamedAcp().launch(turn(agent="parrot", additional_params=["--loud"]))
    assert here.argv == ("parrot-here", "--acp", "--loud")
    assert here.env == parrot.env
    assert here.install == parrot.install
    options = {"base_command_override": "/opt/parrot --old", "env": {"PARROT_UPDATES": "on"}}
    there = NamedAcp().launch(turn(agent="parrot", **options))
    assert there.argv == ("/opt/parrot", "--old", "--acp")
    assert there.env == {"PARROT_UPDATES": "on"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [("kil", "kilo"), ("grok", "grok-build"), ("vibe", "mistral-vibe"), ("kiloo", "kilo")],
)
def test_an_agent_that_nobody_knows_is_refused_by_field_with_what_is_meant(
    name: str, meant: str
) -> None:
    for refused in (
        lambda: NamedAcp().launch(turn(agent=name)),
        lambda: fits(Executor.ACP, {"agent": name}),
    ):
        with pytest.raises(Impossible, match=rf"perhaps .*{meant}.* is meant") as error:
            refused()
        assert error.value.field == "agent"
    # A run of an agent that was known once can be read for ever.
    NamedAcp().dialogue(turn(agent=name))


@pytest.mark.parametrize("name", ["", "\x01", "x" * 5000, "../../etc", "💥"])
def test_no_name_is_too_odd_to_be_refused(name: str) -> None:
    with pytest.raises(Impossible):
        CATALOG.find(name)


# ---------------------------------------------------------------- the login


def _greeted(**options: Any) -> Named:
    talk = Named(**options)
    assert talk.reply({"agentInfo": {"title": "Parrot"}, "authMethods": LOGINS}) == ["session/new"]
    return talk


def _chosen(talk: Named) -> Any:
    return talk.printed[-1]["params"]["methodId"]


def test_a_login_that_the_agent_demands_is_asked_for_and_the_session_again() -> None:
    talk = _greeted()
    assert talk.reply(**DEMANDED) == ["authenticate"]
    assert _chosen(talk) == "account"
    assert talk.reply({}) == ["session/new"]
    assert talk.reply({"sessionId": "s"}) == ["session/prompt"]
    assert talk.dialogue.opening is None


def test_a_former_session_is_asked_for_again_after_the_login() -> None:
    talk = Named(session="old")
    reported = {"authMethods": LOGINS, "agentCapabilities": {"loadSession": True}}
    assert talk.reply(reported) == ["session/load"]
    assert talk.reply(**DEMANDED) == ["authenticate"]
    assert talk.reply({}) == ["session/load"]
    assert talk.printed[-1]["params"]["sessionId"] == "old"
    assert talk.reply({}) == ["session/prompt"]


def test_the_variant_chooses_the_login_or_gives_the_key() -> None:
    chosen = _greeted(auth_method="other")
    assert chosen.reply(**DEMANDED) == ["authenticate"]
    assert _chosen(chosen) == "other"
    keyed = _greeted(env={"PARROT_KEY": "k"})
    assert keyed.reply(**DEMANDED) == ["authenticate"]
    assert _chosen(keyed) == "key"


def test_a_login_that_fails_or_does_not_help_is_one_error_with_what_to_do() -> None:
    failed = _greeted()
    failed.reply(**DEMANDED)
    failed.reply(code=-32603, message="Internal error", data={"details": "No browser"})
    useless = _greeted()
    useless.reply(**DEMANDED)
    useless.reply({})
    assert useless.reply(**DEMANDED) == []
    for talk in (failed, useless):
        [ended] = talk.only(TurnEnded)
        assert ended.outcome is Outcome.FAILED
        assert "Parrot wants you to log in first" in (ended.error or "")
        displayed = list(entries(talk.events).values())
        assert displayed[-1].entry_type == ErrorMessage(error_type=SetupRequired())
    assert "No browser" in next(iter(entries(failed.events).values())).content


def test_a_login_that_is_not_offered_is_told_and_only_a_named_agent_chooses_by_itself() -> None:
    unknown = _greeted(auth_method="nobody")
    assert unknown.reply(**DEMANDED) == []
    reported = [entry.content for entry in entries(unknown.events).values()]
    assert reported[0] == (
        "The agent does not know the login 'nobody'; it offers tty, key, account, other."
    )
    for other in (Talk(), Named()):
        terminal = LOGINS[:1] if isinstance(other, Named) else LOGINS
        other.reply({"authMethods": terminal})
        assert other.reply(**DEMANDED) == []
        assert len(other.only(TurnEnded)) == 1


def test_the_hint_of_the_catalog_says_how_to_log_in(parrot: KnownAgent) -> None:
    talk = Named(agent="parrot")
    talk.reply({"authMethods": LOGINS[:1]})
    talk.reply(**DEMANDED)
    [ended] = talk.only(TurnEnded)
    assert ended.error == parrot.login


def test_options_have_their_types() -> None:
    mistakes: list[dict[str, Any]] = [{"agent": 7}, {"auth_method": []}]
    for wrong in mistakes:
        with pytest.raises(Impossible) as error:
            decode(wrong, NamedOptions)
        assert error.value.field in wrong


# ---------------------------------------------------------------- lists of the registry

LIST: dict[str, Any] = {
    "version": "1.0.0",
    "agents": [
        {
            "id": "heron",
            "name": "Heron",
            "version": "1.2.3",
            "website": "https://heron.example",
            "distribution": {
                "binary": {
                    "windows-x86_64": {"archive": "a", "cmd": "heron.exe"},
                    "linux-x86_64": {"archive": "b", "cmd": "./dist/heron-linux-x86_64 acp"},
                    "darwin-aarch64": {"archive": "c", "cmd": "./Heron.app/heron", "args": ["acp"]},
                }
            },
        },
        {
            "id": "kilo",
            "name": "Kilo",
            "distribution": {
                "npx": {"package": "@kilocode/cli@9.9.9", "args": ["acp", "--new"]},
                "binary": {"linux-x86_64": {"cmd": "./k"}},
            },
        },
        {
            "id": "wren",
            "name": "Wren",
            "distribution": {
                "uvx": {"package": "wren-acp==1.0", "args": ["-x"], "env": {"WREN": "1"}}
            },
        },
        {"id": "finch", "name": "Finch", "distribution": {"npx": {"package": "@birds/finch@1"}}},
        {"id": "owl", "name": "Owl", "distribution": {"binary": {"windows-x86_64": {"cmd": "o"}}}},
    ],
}


def test_a_list_of_the_registry_is_read_for_what_a_person_has_installed() -> None:
    found, problems = registry_format.decode(LIST, CATALOG)
    reported = {agent.id: (agent.command, agent.install) for agent in found}
    assert reported == {
        "heron": (("heron", "acp"), "Install it as https://heron.example says."),
        "kilo": (("kilo", "acp", "--new"), "Install it with `npm install -g @kilocode/cli`."),
        "wren": (("wren-acp", "-x"), "Install it with `uv tool install wren-acp`."),
        "finch": (("finch",), "Install it with `npm install -g @birds/finch`."),
    }
    assert {agent.id: agent.env for agent in found}["wren"] == {"WREN": "1"}
    assert problems == ["agents[4]: owl says of no way to run it here"]
    again, none = catalog.decode(json.loads(json.dumps(catalog.encode(found))))
    assert (sorted(again, key=lambda one: one.id), none) == (
        sorted(found, key=lambda one: one.id),
        [],
    )


@pytest.mark.parametrize(
    "row",
    [
        7,
        {},
        {"id": "../x", "name": "X", "command": ["x"]},
        {"id": "X", "name": "X", "command": ["x"]},
        {"id": "x", "name": "", "command": ["x"]},
        {"id": "x", "name": "X", "command": []},
        {"id": "x", "name": "X", "command": ["--x"]},
        {"id": "x", "name": "X", "command": ["a\0b"]},
        {"id": "x", "name": "X", "command": ["x"] * 51},
        {"id": "x", "name": "X", "command": ["x"], "env": {"A=B": "1"}},
        {"id": "x", "name": "X", "command": ["x"], "commands": {"linux-x86_64": [""]}},
        {"id": "x", "name": "X", "command": "x"},
        {"id": "x", "name": "X" * 2000, "command": ["x"]},
        {"id": "x", "name": "X", "distribution": []},
        {"id": "x", "name": "X", "distribution": {"npx": {"package": "", "args": [7]}}},
        {"id": "x", "name": "X", "distribution": {"binary": {"linux-x86_64": {"cmd": "'"}}}},
        {"id": 7, "name": "X", "distribution": {"npx": {"package": "p"}}},
    ],
)
def test_a_row_that_makes_no_agent_is_left_out_and_told(row: Any) -> None:
    for decoded in (
        registry_format.decode({"agents": [row]}, Catalog(dict)),
        catalog.decode({"agents": [row]}),
    ):
        assert decoded[0] == []
        assert len(decoded[1]) == 1
    assert catalog.decode([row])[1]


def test_a_list_is_bounded() -> None:
    rows = [{"id": f"a{n}", "name": "A", "command": ["a"]} for n in range(catalog.MOST + 5)]
    for agents, problems in (
        registry_format.decode({"agents": rows}, Catalog(dict)),
        catalog.decode({"agents": rows}),
    ):
        assert len(agents) == catalog.MOST
        assert len(problems) == 1
