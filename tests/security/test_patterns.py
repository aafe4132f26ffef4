"""No pattern of ours takes more than linear time by its shape: none repeats what repeats."""

import ast
from collections.abc import Iterator
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeGuard

import pytest

ROOT = Path(__file__).parent.parent.parent
FUNCTIONS = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}
REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)


def patterns() -> Iterator[tuple[str, str]]:
    """Each with where it is."""
    for package in ("bottlecrm_mcp", "pat_tokens"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if _is_pattern(node):
                    yield f"{path}:{node.lineno}:{node.col_offset}", ast.literal_eval(node.args[0])


def _is_pattern(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in FUNCTIONS
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
    )


def repeats_what_repeats(pattern: Any, within: bool = False) -> bool:
    for operation, argument in pattern:
        endless = operation in REPEATS and argument[1] == constants.MAXREPEAT
        if endless and within:
            return True
        for inner in _parts(argument):
            if repeats_what_repeats(inner, within or endless):
                return True
    return False


def _parts(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for each in argument:
            yield from _parts(each)


def test_every_pattern() -> None:
    found = dict(patterns())
    assert len(found) > 5
    assert [
        where for where, each in found.items() if repeats_what_repeats(parser.parse(each))
    ] == []


@pytest.mark.parametrize("pattern", ["(a+)+", "(a*|b)*c", "((x+)y*)+$", "(?:a+?)+"])
def test_bad_patterns_are_found(pattern: str) -> None:
    assert repeats_what_repeats(parser.parse(pattern))
