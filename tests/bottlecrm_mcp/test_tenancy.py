import pytest

from tests.bottlecrm_mcp.population import NAMES, ids, rest_rows


def searched(call, name, **arguments):
    """Every id that crm_search gives, over all pages."""
    found, offset = [], 0
    while True:
        answer = call("crm_search", entity=name, limit=5, offset=offset, **arguments)
        assert "records" in answer, answer
        found += [row["id"] for row in answer["records"]]
        if "next_offset" not in answer:
            assert len(found) == answer["total"]
            return found
        offset = answer["next_offset"]


@pytest.mark.parametrize("role", ["admin", "user"])
@pytest.mark.parametrize("org", ["alpha", "beta"])
def test_agent_sees_what_the_person_sees(tools_of, api, alpha, beta, org, role) -> None:
    profile = getattr({"alpha": alpha, "beta": beta}[org], role)
    call, rest = tools_of(profile), api(profile)
    for name in NAMES:
        found = searched(call, name)
        assert len(found) == len(set(found))
        assert set(found) == ids(rest_rows(rest, name)), name
