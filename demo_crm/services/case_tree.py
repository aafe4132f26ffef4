"""Case tree: cases below cases."""

from collections.abc import Iterator

from demo_crm.models import Case

LEVELS = 3


def refusal_to_link(parent: Case, case: Case | None, status: str = "") -> str | None:
    """Why the case can't be put under this parent."""
    if parent == case:
        return "A case cannot be its own parent."
    if "Duplicate" in (parent.status, status or getattr(case, "status", "")):
        return "Cannot link to or from a merged case."
    above = list(lineage(parent))
    if case in above:
        return "Linking would create a cycle."
    if len(above) + (depth(case) if case else 1) > LEVELS:
        return f"Case tree is limited to {LEVELS} levels."
    return None


def lineage(case: Case | None) -> Iterator[Case]:
    """The case, its parent, and so on; ends where it would come round again."""
    seen = set()
    while case is not None and case.pk not in seen:
        seen.add(case.pk)
        yield case
        case = case.parent


def depth(case: Case, seen: frozenset[Case] = frozenset()) -> int:
    """How many levels the case and what is below it make."""
    children = [] if case in seen else case.children.all()
    return 1 + max((depth(child, seen | {case}) for child in children), default=0)
