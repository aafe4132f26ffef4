"""The same tools in process, and over the REST API as `bcrm-mcp` uses it without an /mcp."""

from __future__ import annotations

from bottlecrm_mcp.gateway.rest.connection import Connection
from bottlecrm_mcp.gateway.rest.gateway import RestGateway
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from bottlecrm_mcp.tools.truncation import size
from tests.benchmarks.measure import compare, table
from tests.benchmarks.serving import Served, served

COMPARED = ("leads", "contacts", "accounts", "tasks", "solutions")


def run(crm: Crm, secret: str, rounds: int) -> str:
    with served(1) as server:
        connection = Connection(f"http://127.0.0.1:{server.ports[0]}", secret)
        gateway = RestGateway(crm.catalogue, crm.caller, connection)
        remote = Crm(crm.caller, crm.catalogue, gateway, crm.seal)
        try:
            rows = [_row(crm, remote, server, name, rounds) for name in COMPARED]
        finally:
            connection.close()
    head = ("entity", "in process ms", "over REST ms", "ratio", "CPU ratio, both ends")
    return table(head, rows)


def _row(crm: Crm, remote: Crm, server: Served, name: str, rounds: int) -> tuple[object, ...]:
    behind = 0.0

    def over_rest() -> int:
        nonlocal behind
        before = server.cpu()
        answer = size(search_entity(remote, entity=name, limit=10))
        behind += server.cpu() - before
        return answer

    costs = compare(
        {"in": lambda: size(search_entity(crm, entity=name, limit=10)), "rest": over_rest}, rounds
    )
    inside, outside = costs["in"], costs["rest"]
    # Each round, and twice before them.
    both = outside.cpu_ms + behind / (rounds + 2)
    return (
        name, inside.wall_ms, outside.wall_ms, inside.wall_ms / outside.wall_ms,
        inside.cpu_ms / both,
    )  # fmt: skip
