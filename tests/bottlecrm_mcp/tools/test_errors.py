import pytest

from bottlecrm_mcp.tools.errors import suggest

ARGUMENTS = ("entity", "filters", "group_by", "measures", "sort", "limit", "id")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("filter", "Did you mean 'filters'?"),
        ("groupby", "Did you mean 'group_by'?"),
        ("sort_by", "Did you mean 'sort'?"),
        ("limt", "Did you mean 'limit'?"),
        # Nothing is close to these: all that there is helps more than a guess.
        ("metric", f"Valid: {', '.join(ARGUMENTS)}."),
        ("confidential", f"Valid: {', '.join(ARGUMENTS)}."),
        ("q", f"Valid: {', '.join(ARGUMENTS)}."),
    ],
)
def test_only_what_is_close_is_suggested(wanted, said) -> None:
    assert suggest(wanted, ARGUMENTS) == said
