"""Modes and models that agents of the protocol offer: what is kept of them, and how one is set."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.named import NamedAcp
from anyond.agents.acp.session.offers import CHANGES_MOST, ID_MOST, MOST, offers
from anyond.agents.common.core import Offered
from anyond.model.entries import ErrorMessage
from anyond.model.http.offers import Choice, Offers
from tests.support.dialogues.acp_driver import entries
from tests.support.dialogues.acp_talk import Talk

MODES = {
    "currentModeId": "ask",
    "availableModes": [
        {"id": "ask", "name": "Ask", "description": "Asks before\nit changes a thing"},
        {"id": "plan", "name": "Plan"},
    ],
}
MODELS = {
    "currentModelId": "a/small",
    "availableModels": [{"modelId": "a/small", "name": "Small"}, {"modelId": "a/big"}],
}
SAVED = Offers(
    modes=(
        Choice(id="ask", name="Ask", description="Asks before it changes a thing"),
        Choice(id="plan", name="Plan"),
    ),
    models=(Choice(id="a/small", name="Small"), Choice(id="a/big", name="a/big")),
)


def option(id: str, category: str | None, *values: Any, current: str = "") -> dict[str, Any]:
    options = [one if isinstance(one, dict) else {"value": one, "name": one} for one in values]
    return {
        "id": id,
        "name": id,
        "category": category,
        "type": "select",
        "currentValue": current,
        "options": options,
    }


def ids(choices: Any) -> list[str]:
    return [choice.id for choice in choices]


def errors(talk: Talk) -> list[str]:
    displayed = entries(talk.events).values()
    return [entry.content for entry in displayed if isinstance(entry.entry_type, ErrorMessage)]


class Named(Talk):
    agent = NamedAcp()


def opened(talk: Talk, **result: Any) -> list[str]:
    talk.reply({})
    return talk.reply({"sessionId": "s", **result})


# ---------------------------------------------------------------- what is kept


def test_what_a_session_offers_is_told_with_the_name_of_the_agent() -> None:
    for options, known_as in (
        ({"agent": "Kilo"}, "kilo"),
        ({"base_command_override": "my-agent --acp"}, "my-agent --acp"),
    ):
        talk = Named(**options)
        opened(talk, modes=MODES, models=MODELS)
        assert talk.only(Offered) == [Offered(known_as, SAVED)]
    plain = Talk()
    opened(plain, modes=MODES, models=MODELS)
    assert plain.only(Offered) == [Offered("", SAVED)]


def test_an_agent_that_offers_nothing_tells_nothing() -> None:
    talk = Named(agent="kilo")
    opened(talk, modes=None, models=[], configOptions="?")
    assert talk.only(Offered) == []


def test_a_former_session_offers_as_well() -> None:
    talk = Named(session="old", agent="kilo")
    talk.reply({"agentCapabilities": {"loadSession": True}})
    talk.reply({"modes": MODES, "models": MODELS})
    assert [event.offers for event in talk.only(Offered)] == [SAVED]


def test_options_of_the_session_are_offers_too_also_in_groups_and_when_they_change() -> None:
    talk = Named(agent="kilo")
    group = {"group": "a", "name": "A", "options": [{"value": "a/1", "name": "One"}]}
    model = option("model", "model", group, {"value": "b", "name": "B"})
    opened(talk, modes=MODES, configOptions=[model, option("effort", "thought_level", "low")])
    talk.update("config_option_update", configOptions=[option("model", "model", "c")])
    talk.update("config_option_update", configOptions=[option("model", "model", "c")])
    first, second = [event.offers for event in talk.only(Offered)]
    assert ids(first.models) == ["a/1", "b"]
    assert first.models[0].name == "One"
    assert (ids(second.models), ids(second.modes)) == (["c"], ["ask", "plan"])


def test_providers_in_the_category_of_models_are_no_models() -> None:
    providers = option("provider", "model", "anthropic", "openai", current="anthropic")
    models = option("model", "model", "opus", "gpt", current="opus")
    for config in ([providers, models], [models, providers]):
        assert ids(offers({"configOptions": config}).models) == ["opus", "gpt"]
        talk = Talk(model="openai")
        opened(talk, configOptions=config)
        assert talk.printed[-1]["params"] == {
            "sessionId": "s",
            "configId": "model",
            "value": "openai",
        }
        assert talk.dialogue._entries.usage.model == "opus"
    assert ids(offers({"configOptions": [providers]}).models) == ["anthropic", "openai"]


def test_what_is_too_much_is_counted_and_what_is_odd_is_left_out() -> None:
    many = [{"modelId": f"m{n}", "name": "x" * 5000} for n in range(900)]
    odd = ["", "a\nb", "a\0", "\x1b[2J", "x" * (ID_MOST + 1), "a\u202eb", "\ud800", 7, None, ["a"]]
    modes = [{"id": id, "name": "\x1b[31m red\r\n\u2066"} for id in ("ok", *odd)]
    saved = offers({"models": {"availableModels": many}, "modes": {"availableModes": modes}})
    assert len(saved.models) == MOST["model"]
    assert len(saved.models[0].name) == 100
    assert [(mode.id, mode.name) for mode in saved.modes] == [("ok", "[31m red")]
    assert saved.more == 600 + 6


@pytest.mark.parametrize(
    "odd", [7, "x", [], [7], {"availableModels": 7}, {"availableModels": [[]]}]
)
def test_no_offer_is_too_odd(odd: Any) -> None:
    reported = {"models": odd, "modes": odd, "configOptions": odd}
    assert offers(reported) == Offers()
    assert offers({"configOptions": [{"id": odd, "options": odd, "category": "model"}]}) == Offers()


def test_an_agent_that_changes_its_mind_for_ever_is_heard_a_few_times() -> None:
    talk = Named(agent="kilo")
    opened(talk)
    for n in range(CHANGES_MOST * 2):
        talk.update("config_option_update", configOptions=[option("model", "model", f"m{n}")])
    assert len(talk.only(Offered)) == CHANGES_MOST


# ---------------------------------------------------------------- how one is set


def test_what_is_set_already_is_not_set_again() -> None:
    talk = Talk(mode="ask", model="b")
    config = [option("model", "model", "a", "b", current="b")]
    assert opened(talk, modes=MODES, configOptions=config) == ["session/prompt"]


def test_an_agent_that_does_not_know_one_way_is_asked_in_the_other() -> None:
    talk = Talk(model="a/big")
    config = [option("model", "model", "a/small", "a/big")]
    assert opened(talk, models=MODELS, configOptions=config) == ["session/set_model"]
    assert talk.reply(code=-32601, message="Method not found") == ["session/set_config_option"]
    assert talk.printed[-1]["params"] == {"sessionId": "s", "configId": "model", "value": "a/big"}
    assert talk.reply({}) == ["session/prompt"]
    assert errors(talk) == []


@pytest.mark.parametrize("kind", [Acp, NamedAcp])
def test_a_mode_and_a_model_that_no_list_has_are_asked_for_all_the_same(kind: Any) -> None:
    class Any_(Talk):
        agent = kind()

    talk = Any_(mode="odd", model="new")
    assert opened(talk) == ["session/set_model"]
    assert talk.printed[-1]["params"] == {"sessionId": "s", "modelId": "new"}
    assert talk.reply({}) == ["session/set_mode"]
    assert talk.printed[-1]["params"] == {"sessionId": "s", "modeId": "odd"}
    assert talk.reply(code=-32601, message="Method not found") == ["session/prompt"]
    assert errors(talk) == [
        "The mode 'odd' was refused: the agent does not let it be chosen in a session"
    ]


def test_a_refusal_names_some_of_what_there_is() -> None:
    talk = Talk(model="huge")
    many = [{"modelId": f"m{n}"} for n in range(400)]
    opened(talk, models={"availableModels": many})
    talk.reply(code=-32602, message="Unknown model")
    [error] = errors(talk)
    assert error.startswith("The model 'huge' was refused: Unknown model. It offers m0, m1,")
    assert error.endswith("m19 and 380 more.")
