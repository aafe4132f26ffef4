"""Diagnosis: the whole examination, as the command and the tests run it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bottlecrm_mcp.doctor import person
from bottlecrm_mcp.doctor.acceptance.benchmark import compare
from bottlecrm_mcp.doctor.acceptance.matrix import try_everything
from bottlecrm_mcp.doctor.checks import host
from bottlecrm_mcp.doctor.findings import Cell, Comparison, Diagnosis, failure, warning
from bottlecrm_mcp.doctor.progress import Tell, silence
from bottlecrm_mcp.doctor.rollback import never_committed


def examine_host(tell: Tell = silence) -> Diagnosis:
    """Is the host right? Requests are sent as some member of some organisation."""
    return _examine("", "", tell, matrix=False, write=False)


def examine(
    email: str, org: str, tell: Tell = silence, *, write: bool, beside_rest: bool = False
) -> Diagnosis:
    """The host, and every tool on every entity as this person.

    `beside_rest` also measures searches and gets beside the REST answers that they stand for.
    `tell` is called with lines about what is done next.
    """
    return _examine(email, org, tell, matrix=True, write=write, beside_rest=beside_rest)


def _examine(
    email: str, org: str, tell: Tell, *, matrix: bool, write: bool, beside_rest: bool = False
) -> Diagnosis:
    tell("Looking at the host. Nothing is written.")
    findings = host.settings_findings()
    cells: list[Cell] = []
    comparisons: list[Comparison] = []
    try:
        with _quiet():
            findings += host.database_findings()
            with never_committed():
                someone = person.person(email, org) if matrix else person.anyone()
            findings += host.request_findings(someone)
            if matrix:
                cells = try_everything(someone, write=write, tell=tell)
            if beside_rest:
                tell("Measuring searches and gets beside the REST API.")
                with never_committed(someone):
                    comparisons = compare(someone)
    except person.NoPerson as nobody:
        report = failure if matrix else warning
        findings.append(report("requests", f"None could be tried. {nobody}"))
    except Exception as fault:
        # A host that is wrong enough fails anywhere, and is to be told what is known so far.
        said = f"They could not be tried: {type(fault).__name__}: {fault}"
        findings.append(failure("requests", said))
    return Diagnosis(tuple(findings), tuple(cells), tuple(comparisons))


@contextmanager
def _quiet() -> Iterator[None]:
    """What the CRM logs of bad input is expected here."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
