"""Import contracts: each refuses what it is there for, planted into a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMES = [contract["name"] for contract in CONFIG["contracts"]]
LINTER = Path(sys.executable).with_name("lint-imports")

INTERFACE = "The MCP app reaches the token app through its interface only"
# Contract, file, the line that is planted there, and what is said of it.
PLANTED = [
    (
        "The token app stands alone",
        "pat_tokens/services/issue.py",
        "import bottlecrm_mcp.conf",
        "pat_tokens.services.issue -> bottlecrm_mcp.conf",
    ),
    (
        "The MCP app does not know the demo",
        "bottlecrm_mcp/conf.py",
        "import demo_crm.choices",
        "bottlecrm_mcp.conf -> demo_crm.choices",
    ),
    (
        "Layers of the MCP app",
        "bottlecrm_mcp/gateway/base.py",
        "import bottlecrm_mcp.tools.errors",
        "bottlecrm_mcp.gateway.base -> bottlecrm_mcp.tools.errors",
    ),
    (
        "Layers of the MCP app",
        "bottlecrm_mcp/hosted/cors.py",
        "import bottlecrm_mcp.local.identity",
        "bottlecrm_mcp.hosted.cors -> bottlecrm_mcp.local.identity",
    ),
    ("Layers of the MCP app", "bottlecrm_mcp/stray.py", "", "bottlecrm_mcp.stray"),
    (
        "Layers of the gateways",
        "bottlecrm_mcp/gateway/rest/labels.py",
        "import bottlecrm_mcp.gateway.in_process.deadline",
        "bottlecrm_mcp.gateway.rest.labels -> bottlecrm_mcp.gateway.in_process.deadline",
    ),
    ("Layers of the gateways", "bottlecrm_mcp/gateway/stray.py", "", "gateway.stray"),
    (
        "Layers of the token app",
        "pat_tokens/models/token.py",
        "import pat_tokens.services.issue",
        "pat_tokens.models.token -> pat_tokens.services.issue",
    ),
    ("Layers of the token app", "pat_tokens/stray.py", "", "pat_tokens.stray"),
    (
        "Tools and protocol reach the CRM through the gateway's interface only",
        "bottlecrm_mcp/tools/get.py",
        "import bottlecrm_mcp.gateway.rest.urls",
        "bottlecrm_mcp.tools.get -> bottlecrm_mcp.gateway.rest.urls",
    ),
    (
        INTERFACE,
        "bottlecrm_mcp/hosted/audit.py",
        "import pat_tokens.models",
        "bottlecrm_mcp.hosted.audit -> pat_tokens.models",
    ),
    (
        INTERFACE,
        "bottlecrm_mcp/hosted/oauth/step_up.py",
        "import pat_tokens.oauth.clients",
        "bottlecrm_mcp.hosted.oauth.step_up -> pat_tokens.oauth.clients",
    ),
    (
        "The local server runs without Django",
        "bottlecrm_mcp/local/environment.py",
        "import django.conf",
        "bottlecrm_mcp.local.environment -> django",
    ),
    (
        "No circles in the demo",
        "demo_crm/models/base.py",
        "import demo_crm.entities.sales.leads",
        ".models -> .entities",
    ),
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter says of each broken contract where all these lines are planted."""
    copy = tmp_path_factory.mktemp("planted")
    for package in CONFIG["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=lambda *_: ["__pycache__"])
    shutil.copy(ROOT / "pyproject.toml", copy)
    for _, file, line, _ in PLANTED:
        path = copy / file
        path.write_text(f"{path.read_text() if path.exists() else ''}\n{line}\n")
    # In narrow terminals it breaks lines.
    wide = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [LINTER, "--no-cache"], cwd=copy, env=wide, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    report = done.stdout.partition("Broken contracts")[2]
    title = "|".join(re.escape(name) for name in NAMES)
    _, *parts = re.split(rf"^({title})$", report, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(("contract", "file", "line", "complaint"), PLANTED)
def test_planted_import_is_refused(said, contract, file, line, complaint) -> None:
    assert complaint in said[contract]


def test_every_contract_is_tried() -> None:
    assert set(NAMES) == {contract for contract, *_ in PLANTED}
    assert not any("ignore_imports" in contract for contract in CONFIG["contracts"])


def test_interface_leaves_no_module_of_the_token_app_out() -> None:
    interface = {"pat_tokens.mcp_endpoint", "pat_tokens.oauth"}
    files = {path.stem for path in (ROOT / "pat_tokens").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "pat_tokens").glob("*/__init__.py")}
    closed = next(each for each in CONFIG["contracts"] if each["name"] == INTERFACE)
    listed = {name.removesuffix(".*") for name in closed["forbidden_modules"]}
    assert {f"pat_tokens.{name}" for name in files | packages} == listed | interface
