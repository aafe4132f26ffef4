"""Daily limits before a preview: nobody is asked to agree to what is then refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bottlecrm_mcp.catalogue.model import Effect
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError


def require_left(caller: Caller, changes: Sequence[Iterable[Effect]]) -> None:
    """Raises `ToolError` if a limit that each of the changes counts for is spent.

    `changes` are the effects of each. The write itself is still judged when it is made.
    """
    for kind, count in _counted(changes).items():
        left = caller.left_today.get(kind)
        if left and not left.count and count == len(changes):
            raise ToolError("limit_reached", f"{left.reached} {NOTHING_CHANGED}")


def fewer_left(caller: Caller, changes: Sequence[Iterable[Effect]]) -> OwnWords | None:
    """What a preview says where the limits leave fewer than these changes."""
    said = [
        f"{left.name} left today: {left.count}, and this takes {count}"
        for kind, count in _counted(changes).items()
        if (left := caller.left_today.get(kind)) and left.count < count
    ]
    return OwnWords("; ".join(said)) if said else None


def _counted(changes: Iterable[Iterable[Effect]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for effects in map(set, changes):
        counts["writes"] += 1
        counts["deletes"] += Effect.DELETES in effects
        counts["mails"] += Effect.MAILS in effects
    return counts
