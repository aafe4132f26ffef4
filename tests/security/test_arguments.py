"""Wrong types and injections in every argument of every tool."""

from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.tools.arguments.filters import MOST_FILTERS, operators
from bottlecrm_mcp.tools.registry import Registry
from tests.bottlecrm_mcp.population import ENTITIES, UNKNOWN_ID, unchanged
from tests.security.conftest import REVEALING
from tests.security.test_messages import VALUES

TOOLS = {tool.name: tool for tool in Registry(mcp_settings().catalogue).tools}
# With these the call is a good one.
ANY_TEXT = {"data", "params", "confirmation", "idempotency_key"}
INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE leads; --",
    '") OR 1=1 --',
    "1 UNION ALL TABLE pat_tokens_token",
    "name) FROM pat_tokens_token; --",
    "%' OR org_id::text LIKE '%",
    "org__name",
    "created_by__password",
    "assigned_to__user__password",
    "id__in",
    "pk",
    "-org__name",
    "?",
    "raw:1",
    "sum:amount) OR (1=1",
    "count:org__name",
    "created_at:century",
    "../accounts",
    "..%2f..%2fadmin",
    "{UNKNOWN_ID}/../{UNKNOWN_ID}",
    "{0.__class__.__mro__}",
    "{{7*7}}${7*7}#{7*7}",
    "\r\nX-Org: other",
    "me\u2028me",
    "\\",
    "*",
)

PATHS = (f"{UNKNOWN_ID}/../../x", "%2e%2e", "{id}")

# What JSON can say and a schema or a function of Python's might not expect.
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    50.0,
    0.5,
    10**4_000,
    1e308,
    float("inf"),
    float("nan"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202ea\u2028",
    "a" * 10_000,
    [],
    [None],
    [[1.0]],
    [True, "", {}],
    {},
    {"": ""},
    {"id": {"id": 1}},
    {"id": None, "\ud800": 1},
    {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}},
)

few = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def require_in_order(answer: Any) -> None:
    code = answer.get("error", {}).get("code")
    assert code not in ("internal_error", "crm_error", "unavailable"), answer
    assert not REVEALING.search(str(answer)), answer


def good(name: str, alpha: Any) -> dict[str, Any]:
    """Arguments of a tool that are in order, those left out that are not needed."""
    given: dict[str, Any] = {"data": {"first_name": "Ann"}}
    given |= {"entity": "leads", "id": str(alpha.leads[1].pk), "action": "add_comment"}
    return {each: given[each] for each in TOOLS[name].required}


@pytest.mark.parametrize("name", TOOLS)
def test_any_value_of_any_argument(tools_of: Any, alpha: Any, beta: Any, name: str) -> None:
    call, tool = tools_of(alpha.admin), TOOLS[name]

    @few
    @given(st.sampled_from(sorted(tool.arguments)), VALUES)
    def attempt(argument: str, value: Any) -> None:
        # Hypothesis also tries what it finds in the sources, and an error repeats what was sent.
        assume(not REVEALING.search(str(value)))
        require_in_order(call(name, **{**good(name, alpha), argument: value}))

    attempt()


@pytest.mark.parametrize("name", TOOLS)
def test_odd_value_of_any_argument(tools_of: Any, alpha: Any, name: str) -> None:
    call = tools_of(alpha.admin)
    entities = ("leads", "tags", "all", "my_day") if name == "crm_search" else ("leads",)
    for argument in TOOLS[name].arguments:
        for value in ODD:
            for entity in entities:
                given = {**good(name, alpha), "entity": entity, argument: value}
                require_in_order(call(name, **given))


def test_odd_value_of_any_field(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    for name, entity in ENTITIES.items():
        fields = [field.name for field in entity.fields if operators(field)][:MOST_FILTERS]
        record = {"entity": name, "id": str(getattr(alpha, name)[1].pk)}
        for value in ODD:
            require_in_order(call("crm_search", entity=name, filters=dict.fromkeys(fields, value)))
            data = {field.name: value for field in entity.writable_fields}
            require_in_order(call("crm_create", entity=name, data=data))
        for action in entity.actions:
            for value in ODD[::6] if action.params else ():
                params = {each.name: value for each in action.params}
                require_in_order(call("crm_action", **record, action=action.name, params=params))


@pytest.mark.parametrize("name", TOOLS)
def test_injection_into_any_argument(tools_of: Any, alpha: Any, beta: Any, name: str) -> None:
    call, tool = tools_of(alpha.admin), TOOLS[name]
    with unchanged():
        for argument in tool.arguments.keys() - ANY_TEXT:
            for text in INJECTIONS:
                for value in (text, [text], {text: 1}, {"first_name": text}, {text: text}):
                    answer = call(name, **{**good(name, alpha), argument: value})
                    require_in_order(answer)
                    assert "beta" not in str({**answer, "error": ""}).lower()


def texts(entity: Any) -> list[str]:
    return [field.name for field in entity.fields if field.listed and field.kind.is_text]


@pytest.mark.parametrize("name", ["leads", "accounts", "invoices"])
def test_injected_text_is_only_text(tools_of: Any, alpha: Any, beta: Any, name: str) -> None:
    call, fields = tools_of(alpha.admin), cycle(texts(ENTITIES[name]))
    for text in INJECTIONS:
        for operator in ("", "__contains"):
            filters = {f"{next(fields)}{operator}": text}
            answer = call("crm_search", entity=name, filters=filters)
            assert answer.get("total", 0) == 0, (filters, answer)


def test_injected_text_is_saved_as_it_is(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    for text in INJECTIONS:
        saved = call("crm_create", entity="leads", data={"last_name": "x", "description": text})
        read = call("crm_get", entity="leads", id=saved["id"])
        assert read["record"]["description"] == text.strip()


def test_injection_into_the_parameters_of_actions(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    with unchanged():
        for name, entity in ENTITIES.items():
            pk = str(getattr(alpha, name)[1].pk)
            for action in entity.actions:
                in_path = [each for each in action.params if f"{{{each.name}}}" in action.path]
                asked = {"entity": name, "id": pk, "action": action.name, "confirm": True}
                for text in PATHS if in_path else ():
                    params = {each.name: text for each in in_path}
                    answer = call("crm_action", **asked, params=params)
                    require_in_order(answer)
                    assert "error" in answer
