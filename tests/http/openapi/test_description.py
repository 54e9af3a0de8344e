"""The description of the API says what the routes do, no more and no less."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Any

import jsonschema_rs
import pytest
from msgspec import inspect as inspection
from msgspec.structs import replace

from anyond.agents.roster import CAPABILITIES
from anyond.api import tags
from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration.endpoint import Answering, BodyCall, EventStream, Stream
from anyond.api.declaration.refusal_groups import NOT_ALLOWED
from anyond.api.examples.all import EXAMPLES, NONE
from anyond.http.app import ROUTES, create_app
from anyond.http.application import App
from anyond.http.dispatch import complete, route
from anyond.http.guard import Policy
from anyond.http.openapi import typescript
from anyond.http.openapi.document import document
from anyond.http.openapi.page import page, policy
from anyond.http.openapi.refusals import visible_to_clients
from anyond.model.refusals.requests import Invalid
from anyond.services.services import Services
from tests.support.paths import ROOT

DOCUMENT = document()


def shape(path: str) -> str:
    """A path without the names of its variable parts."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "*", path)


def application() -> App:
    services = SimpleNamespace(**(dict.fromkeys(Services.__struct_fields__) | {"capabilities": {}}))
    return create_app(services, Policy())  # type: ignore[arg-type]


def known_routes() -> list[tuple[str, str]]:
    """All but those that only clients of vibe-kanban know."""
    return [
        (route.method, shape(route.path))
        for route in application().routes
        # These are described elsewhere: another API, and a protocol with a description of its own.
        if not route.path.startswith(("/vk", "/mcp"))
    ]


def test_every_route_is_described_and_nothing_else() -> None:
    declared = [(endpoint.method, shape(endpoint.path)) for endpoint in ENDPOINTS]
    assert sorted(declared) == sorted(known_routes())


def test_an_endpoint_without_a_handler_or_with_two_is_refused_when_it_is_loaded() -> None:
    assert complete(ROUTES) == ROUTES
    with pytest.raises(TypeError, match="needs one handler"):
        complete(ROUTES[1:])
    with pytest.raises(TypeError, match="needs one handler"):
        complete(ROUTES, ROUTES[:1])
    undeclared = replace(tags.GET_TAG, path="/api/tags/{id}/twice")
    with pytest.raises(TypeError, match="twice needs one handler"):
        complete(ROUTES, [route(undeclared, ROUTES[0].handler)])


def fields(info: Any, at: str) -> Iterator[tuple[str, bool, bool]]:
    """The fields of a body and of what is in it, whether each is required, and may be null."""
    match info:
        case inspection.Metadata():
            yield from fields(info.type, at)
        case inspection.StructType():
            for field in info.fields:
                bare = (
                    field.type.type if isinstance(field.type, inspection.Metadata) else field.type
                )
                options = getattr(bare, "types", (bare,))
                null = any(isinstance(o, inspection.NoneType | inspection.AnyType) for o in options)
                yield f"{at}.{field.encode_name}", field.required, null
                yield from fields(field.type, f"{at}.{field.encode_name}")
        case inspection.UnionType():
            for option in info.types:
                yield from fields(option, at)


def test_what_may_be_left_out_of_a_body_may_be_null() -> None:
    bodies = {e.body: e.path for e in ENDPOINTS if isinstance(e, BodyCall) and e.described is None}
    found = [
        field
        for body, path in bodies.items()
        for field in fields(inspection.type_info(body), f"{path}: {body.__name__}")
    ]
    assert len(found) > 50
    assert [name for name, required, null in found if not required and not null] == []


def test_names_of_operations_and_types_are_unique_and_every_reference_leads_somewhere() -> None:
    names = [endpoint.operation_id for endpoint in ENDPOINTS]
    assert len(names) == len(set(names))
    components = DOCUMENT["components"]
    for found in re.findall(r"#/components/(\w+)/([\w.-]+)", str(DOCUMENT)):
        assert found[1] in components[found[0]], found


def test_everything_that_answers_or_takes_data_has_an_example() -> None:
    for endpoint in ENDPOINTS:
        example = EXAMPLES.get(endpoint, NONE)
        assert (example.send is None) != isinstance(endpoint, BodyCall), endpoint.path
        assert bool(example.frames) == isinstance(endpoint, Stream), endpoint.path
        if isinstance(endpoint, EventStream):
            assert endpoint.events
        if isinstance(endpoint, Answering):
            assert (example.answer is None) == (endpoint.answer is NoneType), endpoint.path
        for parameter in endpoint.parameters():
            assert parameter.example is not None or not parameter.required, parameter.name
            assert parameter.text, parameter.name


def resolved(node: Any) -> Any:
    """What a reference leads to, or `node` itself."""
    while isinstance(node, dict) and "$ref" in node:
        *_, section, name = node["$ref"].split("/")
        node = DOCUMENT["components"][section][name]
    return node


def validator() -> Callable[[Any], Any]:
    """What makes a validator of a schema; all that it may refer to is compiled once."""
    made: dict[str, Any] = {}

    def of(schema: Any) -> Any:
        key = json.dumps(schema, sort_keys=True)
        if key not in made:
            whole = {**schema, "components": DOCUMENT["components"]}
            made[key] = jsonschema_rs.Draft202012Validator(whole)
        return made[key]

    return of


def test_every_refusal_has_an_example_of_each_sort_that_is_what_the_schema_says() -> None:
    seen, valid_for = set(), validator()
    for path, methods in DOCUMENT["paths"].items():
        for verb, operation in methods.items():
            for status, response in operation["responses"].items():
                if status < "400":
                    continue
                content = resolved(response)["content"]["application/json"]
                valid = valid_for(content["schema"])
                shown = content.get("examples") or {"bare": {"value": content["example"]}}
                values = [resolved(example)["value"] for example in shown.values()]
                for value in values:
                    valid.validate(value)
                types_in = {(value["error_data"] or {}).get("type") for value in values}
                assert len(types_in) == len(values) >= 1, (verb, path, status)
                sorts = content["schema"]["properties"]["error_data"]
                assert len(types_in) == len(sorts.get("anyOf", [sorts])), (verb, path, status)
                seen |= types_in
    assert {None, "invalid", "busy", "stale_draft"} <= seen
    assert not any("`" in example["value"]["message"] for example in every_example())


def every_example() -> list[dict[str, Any]]:
    return list(DOCUMENT["components"]["examples"].values())


def test_the_description_speaks_of_null_and_not_of_python() -> None:
    sentences = re.findall(r"'(?:description|summary)': (\"[^\"]*\"|'[^']*')", str(DOCUMENT))
    assert len(sentences) > 300
    assert [text for text in sentences if re.search(r"(?<!-)\b(None|UNSET)\b(?!-)", text)] == []


def test_every_refusal_that_the_program_can_utter_is_described() -> None:
    described = {refusal.type for endpoint in ENDPOINTS for refusal in endpoint.refusals}
    common = {Invalid.type, *(refusal.type for refusal in NOT_ALLOWED)}
    # Of executions and worktrees that no request can name, and of a checkout that somebody locked.
    inside = {"already_started", "running", "worktree_locked"}
    assert visible_to_clients().keys() - inside == described | common


def test_the_types_of_typescript_are_up_to_date() -> None:
    there = (ROOT / "clients" / "typescript" / "types.ts").read_text()
    assert there == typescript.module(DOCUMENT)


def test_what_an_agent_is_and_can_do_has_the_names_that_clients_import() -> None:
    types = DOCUMENT["components"]["schemas"]
    info = types["UserSystemInfo"]["properties"]
    place = "#/components/schemas/"
    variants = {"$ref": f"{place}ExecutorConfig"}
    assert info["executors"]["additionalProperties"] == variants
    assert types["ExecutorConfigs"]["properties"]["executors"]["additionalProperties"] == variants
    able = info["capabilities"]["additionalProperties"]["items"]
    assert able == {"$ref": f"{place}BaseAgentCapability"}
    abilities = {ability for can in CAPABILITIES.values() for ability in can}
    assert set(types["BaseAgentCapability"]["enum"]) == abilities


def test_a_type_that_has_changed_is_drift(tmp_path: Path) -> None:
    file = tmp_path / "types.ts"
    assert typescript.main([str(file)]) == 0
    assert typescript.main(["--check", str(file)]) == 0
    file.write_text(file.read_text().replace("git_repo_path", "path"))
    assert typescript.main(["--check", str(file)]) == 1


def test_types_are_written_as_typescript_has_them() -> None:
    schema = {
        "type": "object",
        "description": "A thing.",
        "properties": {
            "kind": {"const": "thing"},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
            "maybe": {"type": ["string", "null"]},
            "many": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/X"}},
        },
        "required": ["kind", "pair", "maybe"],
    }
    assert typescript.declaration("Thing", schema) == (
        "/** A thing. */\n"
        "export type Thing = {\n"
        '  kind: "thing";\n'
        "  pair: [number, string];\n"
        "  maybe: string | null;\n"
        "  many?: { [key: string]: X };\n"
        "};\n"
    )


def test_the_page_shows_every_endpoint_and_type_and_loads_nothing() -> None:
    html = page(DOCUMENT)
    for endpoint in ENDPOINTS:
        assert f'<details id="{endpoint.operation_id}">' in html
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="type-{name}"' in html
    assert not re.search(r"""(?:src|srcset|action|data)=["']""", html)
    assert set(re.findall(r"""href=["']([^"'#][^"']*)""", html)) == {"/openapi.json"}
    assert not re.search(r"@import|url\(|\son\w+=|\sstyle=", html)
    for target in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{target}"' in html, target


def test_what_must_be_there_must_be_filled_in_before_it_is_tried() -> None:
    """Without its id, the path of one record is that of the list."""
    html = page(DOCUMENT)
    for endpoint in ENDPOINTS:
        block = html.split(f'<details id="{endpoint.operation_id}">')[1].split("</details>")[0]
        if endpoint.method == "GET" and isinstance(endpoint, Answering):
            fields = dict(re.findall(r'<input name="(\w+)"([^>]*)>', block))
            for parameter in endpoint.parameters():
                assert (" required" in fields[parameter.name]) == parameter.required, (
                    endpoint.operation_id
                )
                shown = "" if parameter.example is None else parameter.example
                assert f'placeholder="{shown}"' in fields[parameter.name]


def test_the_policy_of_the_page_allows_its_own_script_and_style_only() -> None:
    html = page(DOCUMENT)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [inside] = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(inside.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy()
    assert policy().startswith("default-src 'none'; ")
    assert "unsafe" not in policy()


def test_what_is_written_in_a_description_is_text_on_the_page() -> None:
    odd = {
        **DOCUMENT,
        "info": {"title": "<script>1</script>", "version": "<b>", "description": "<img src=x>"},
    }
    html = page(odd)
    assert "<script>1" not in html
    assert "<img" not in html
    assert "<b>" not in html
