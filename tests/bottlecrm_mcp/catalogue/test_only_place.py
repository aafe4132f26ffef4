"""What is BottleCRM's stands in the catalogue: code elsewhere names no entity, action or route."""

import ast
from collections.abc import Iterator
from pathlib import Path

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE

PACKAGE = Path(__file__).parents[3] / "bottlecrm_mcp"
NAMES = {
    name
    for each in CATALOGUE.entities
    for name in (each.name, each.singular, *(action.name for action in each.actions))
}
# The value of HTTP's header `Connection`, and an answer to a form in MCP.
ELSEWHERE = {
    ("hosted/body.py", "close"),
    ("protocol/older_forms.py", "cancel"),
}


def constants(tree: ast.AST) -> Iterator[str]:
    """The strings of a module that are no docstrings."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_names_of_the_crm() -> None:
    found = {
        (str(path.relative_to(PACKAGE)), text)
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(PACKAGE / "catalogue")
        for text in constants(ast.parse(path.read_text()))
        if text in NAMES or ("/api/" in text and text != "/api/")
    }
    assert found == ELSEWHERE
