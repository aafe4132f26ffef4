"""Programs of the system that some tests need, and what to do where one is missing."""

import os
import shutil
from pathlib import Path

import pytest

SBIN = "/usr/sbin:/usr/local/sbin"


def found(*names: str) -> Path | None:
    path = f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
    places = (shutil.which(name, path=path) for name in names)
    return next((Path(place) for place in places if place), None)


CHROMIUM = found("chromium", "chromium-browser", "google-chrome")
PGBOUNCER = found("pgbouncer")


def needs(program: Path | None, package: str) -> pytest.MarkDecorator:
    reason = f"{package} is not installed: apt install {package}"
    return pytest.mark.skipif(program is None, reason=reason)


needs_chromium = needs(CHROMIUM, "chromium")
needs_pgbouncer = needs(PGBOUNCER, "pgbouncer")
