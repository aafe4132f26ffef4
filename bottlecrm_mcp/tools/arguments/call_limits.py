"""Limits of a call: what its arguments and its answer may hold at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottlecrm_mcp.tools.arguments.scalars import require_number, require_text
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.truncation import bytes_of


@dataclass(frozen=True)
class CallLimits:
    """How deep arguments may be nested, how many values they may hold, how large an answer is."""

    depth: int = 8
    values: int = 2_000
    answer_bytes: int = 100_000

    def require_clean(self, arguments: Mapping[str, Any]) -> None:
        """Raises `ToolError` for arguments that are too large, or hold what can't be stored."""
        left = self.values
        waiting: list[tuple[Any, int]] = [(arguments, 0)]
        while waiting:
            value, depth = waiting.pop()
            parts = _parts(value)
            left -= len(parts)
            if left < 0:
                raise _invalid(f"The arguments hold more than {self.values} values.")
            if depth > self.depth:
                raise _invalid("The arguments are nested too deeply.")
            waiting += [(part, depth + 1) for part in parts]
            if isinstance(value, str):
                require_text(value)
            elif isinstance(value, int | float):
                require_number(value)

    def require_fits(self, answer: Mapping[str, Any]) -> None:
        """Raises `ToolError` for an answer to a call that changed nothing."""
        length = bytes_of(answer)
        if length > self.answer_bytes:
            raise ToolError(
                "too_large",
                f"The answer has {length} bytes, and may have {self.answer_bytes}.",
                hint="Ask for fewer records, fields or includes.",
            )

    def without_excess(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a write, which is done: what does not fit is left out and named."""
        kept, left_out = dict(answer), []
        while bytes_of(kept) > self.answer_bytes and kept:
            largest = max(kept, key=lambda name: bytes_of(kept[name]))
            del kept[largest]
            left_out.append(largest)
        if left_out:
            kept["notes"] = [f"This is done. Too large to be shown: {', '.join(left_out)}."]
        return kept


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _invalid(message: str) -> ToolError:
    return ToolError("invalid_arguments", message)
