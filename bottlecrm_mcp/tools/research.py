"""search, fetch and profile: the tools by which ChatGPT researches, and knows who is connected.

Their names, arguments and results are OpenAI's. Only clients that use them are offered them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import COMMENTS, Entity
from bottlecrm_mcp.gateway.shared.folding import words_of
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.get import crm_get
from bottlecrm_mcp.tools.schemas import ANYTHING, TEXT, a_list
from bottlecrm_mcp.tools.searches.all_entities import search_all
from bottlecrm_mcp.tools.tool import Tool

MOST_RESULTS = 20
MOST_LISTS = 6
# Of a question that no record answers as a whole.
MOST_WORDS = 3
SHORTEST_WORD = 4


def search(crm: Crm, *, query: str) -> dict[str, Any]:
    """Records of every kind that hold the words; else those that hold one of the longest."""
    found = search_all(crm, query, MOST_RESULTS)["records"]
    words = [each for each in words_of(query) if len(each) >= SHORTEST_WORD]
    if not found and len(words) > 1:
        longest = sorted(words, key=len, reverse=True)[:MOST_WORDS]
        found = [row for word in longest for row in search_all(crm, word, MOST_RESULTS)["records"]]
    named = {f"{row['entity']}/{row['id']}": row for row in found}
    results = [_result(crm, ref, row) for ref, row in list(named.items())[:MOST_RESULTS]]
    return {"results": results}


def _result(crm: Crm, ref: str, row: Mapping[str, Any]) -> dict[str, Any]:
    entity = crm.entity(row["entity"])
    return {
        "id": ref,
        "title": f"{row['name']} ({entity.singular})",
        "url": _address(crm, entity, row["id"]),
    }


def fetch(crm: Crm, *, id: str) -> dict[str, Any]:
    """One record as text, with its comments and what belongs to it."""
    name, _, record_id = id.partition("/")
    if not record_id:
        raise ToolError("not_found", f"{id[:80]!r} is no id of a search result.")
    entity = crm.entity(name)
    related = [each.name for each in entity.includes if each.entity or each.name == COMMENTS]
    got = crm_get(crm, entity=name, id=record_id, include=related[:MOST_LISTS])
    lists = {key: value["records"] for key, value in got.items() if key in related}
    record, found_id = got["record"], got["id"]
    outsiders = ", ".join(got.get("untrusted", ()))
    metadata = {"entity": entity.name, **({"written_by_outsiders": outsiders} if outsiders else {})}
    return {
        "id": f"{entity.name}/{found_id}",
        "title": f"{crm.label(entity, {'id': found_id, **record})} ({entity.singular})",
        "text": "\n".join([*_lines(record), *_list_lines(lists)]),
        "url": _address(crm, entity, found_id),
        "metadata": metadata,
    }


def profile(crm: Crm) -> dict[str, Any]:
    """Who is connected, so that a person with several connections can tell them apart."""
    caller = crm.caller
    if not caller.profile_id:
        raise ToolError("not_supported", "This token does not show whose it is.")
    nickname = ", ".join(filter(None, (caller.org_name, caller.role, caller.access)))
    return {
        "id": caller.profile_id,
        "name": caller.name,
        "email": caller.email,
        "nickname": nickname,
    }


def _address(crm: Crm, entity: Entity, record_id: str) -> str:
    return crm.web_address_of(entity, record_id) or f"crm://{entity.name}/{record_id}"


def _lines(row: Mapping[str, Any]) -> list[str]:
    return [f"{key.replace('_', ' ')}: {_shown(value)}" for key, value in row.items()]


def _list_lines(lists: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[str]:
    lines = []
    for name, rows in lists.items():
        lines += [f"{name}:", *(f"- {'; '.join(_lines(row))}" for row in rows)] if rows else []
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, Mapping):
        return str(value.get("name") or "; ".join(_lines(value)))
    # No line of a text passes for a field of the record.
    return "\n  ".join(str(value).splitlines())


SEARCH = Tool(
    name="search",
    title="Search the CRM",
    description="Records of the CRM that hold these words: leads, contacts, accounts, deals, "
    "tasks, cases, invoices, solutions. A few words find more than a sentence.",
    run=search,
    arguments={"query": TEXT},
    required=("query",),
    result={"results": a_list(ANYTHING)},
    needs="read",
    idempotent=True,
)
FETCH = Tool(
    name="fetch",
    title="Fetch a record",
    description="One search result in full, with comments and related records.",
    run=fetch,
    arguments={"id": TEXT},
    required=("id",),
    result={"id": TEXT, "title": TEXT, "text": TEXT, "url": TEXT, "metadata": ANYTHING},
    needs="read",
    idempotent=True,
)
PROFILE = Tool(
    name="profile",
    title="Who is connected",
    description="The person, the organisation and the access of this connection.",
    run=profile,
    arguments={},
    required=(),
    result={"id": TEXT, "name": TEXT, "email": TEXT, "nickname": TEXT},
    needs="",
    idempotent=True,
    result_required=("id",),
    meta={"openai/profile": True},
)
RESEARCH = (SEARCH, FETCH, PROFILE)
