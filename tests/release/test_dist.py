"""What `make dist` made, installed where nothing else is. Needs the network."""

import json
import os
import subprocess
import sys
import tarfile
import time
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.bottlecrm_mcp.local.stand_in import StandIn, crm, serving

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
TOKEN = "bcrm_pat_0123456789"
MOST_MEGABYTES = 60
# The limit is 0.7 s; a machine that builds may be busy.
MOST_SECONDS = 2.0
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@pytest.fixture(scope="module")
def wheel() -> Path:
    (found,) = DIST.glob("bcrm_mcp-*.whl")
    return found


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an empty virtual environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    found = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([found / "pip", "install", "--quiet", wheel], check=True)
    return found


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with serving(crm) as served:
        yield served


def environment(stand_in: StandIn) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH",)}
    return {**kept, "BCRM_BASE_URL": stand_in.url, "BCRM_TOKEN": TOKEN}


def test_no_django(bin_folder: Path) -> None:
    listed = subprocess.run(
        [bin_folder / "pip", "list", "--format=json"], check=True, capture_output=True
    )
    names = {each["name"].lower() for each in json.loads(listed.stdout)}
    assert "bcrm-mcp" in names
    assert not names & {"django", "djangorestframework", "psycopg", "asgiref"}


def test_size(bin_folder: Path) -> None:
    (packages,) = bin_folder.parent.glob("[Ll]ib/**/site-packages")
    tools = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    files = [
        path
        for folder in packages.iterdir()
        if not folder.name.startswith(tools)
        for path in (folder.rglob("*") if folder.is_dir() else [folder])
    ]
    megabytes = sum(path.stat().st_size for path in files if path.is_file()) / 1_000_000
    print(f"{megabytes:.0f} MB")
    assert megabytes < MOST_MEGABYTES


def test_version(bin_folder: Path, wheel: Path) -> None:
    said = subprocess.run([bin_folder / "bcrm-mcp", "--version"], capture_output=True, text=True)
    assert said.stdout.split() == ["bcrm-mcp", wheel.name.split("-")[1]]


def test_check(bin_folder: Path, stand_in: StandIn) -> None:
    done = subprocess.run(
        [bin_folder / "bcrm-mcp", "--check"],
        env=environment(stand_in),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Ann <ann@example.com>, USER" in done.stdout


def test_list_of_tools_and_a_call(bin_folder: Path, stand_in: StandIn) -> None:
    took, tools, described = min(talk(bin_folder, stand_in) for _ in range(3))
    print(f"tools/list after {took:.2f} s")
    assert took < MOST_SECONDS
    assert "crm_search" in tools
    assert '"source":"declared"' in described


def talk(bin_folder: Path, stand_in: StandIn) -> tuple[float, str, str]:
    started = time.perf_counter()
    with subprocess.Popen(
        [bin_folder / "bcrm-mcp"],
        env=environment(stand_in),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def say(method: str, **params: Any) -> str:
            message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
            if params:
                message["params"] = params
            if not method.startswith("notifications/"):
                message["id"] = method
            print(json.dumps(message), file=server.stdin, flush=True)
            return server.stdout.readline() if "id" in message else ""

        say("initialize", **INITIALIZE)
        say("notifications/initialized")
        tools = say("tools/list")
        took = time.perf_counter() - started
        described = say("tools/call", name="crm_describe", arguments={"entity": "leads"})
        server.stdin.close()
        assert server.wait(10) == 0
    return took, tools, json.loads(described)["result"]["content"][0]["text"]


def test_sources() -> None:
    (archive,) = DIST.glob("bcrm_mcp-*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "bottlecrm_mcp/local/cli.py"} <= names


def test_bundle(wheel: Path) -> None:
    subprocess.run([sys.executable, ROOT / "deploy/mcpb/bundle.py", DIST], check=True)
    (bundle,) = DIST.glob("bcrm-mcp-*.mcpb")
    with ZipFile(bundle) as archive:
        assert set(archive.namelist()) == {
            "manifest.json",
            "pyproject.toml",
            "server.py",
            wheel.name,
        }
        manifest = json.loads(archive.read("manifest.json"))
        project = tomllib.loads(archive.read("pyproject.toml").decode())
    assert manifest["version"] == project["project"]["version"] == wheel.name.split("-")[1]
    assert project["tool"]["uv"]["sources"]["bcrm-mcp"]["path"] == wheel.name
    assert manifest["user_config"]["token"]["sensitive"] is True
    assert set(manifest["server"]["mcp_config"]["env"]) == {"BCRM_BASE_URL", "BCRM_TOKEN"}


def test_registry_entry() -> None:
    entry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (package,) = entry["packages"]
    assert entry["version"] == package["version"] == project["version"]
    assert package["identifier"] == project["name"]
    assert len(entry["description"]) <= 100
    # Neither is needed where people sign in.
    [token] = [each for each in package["environmentVariables"] if each["name"] == "BCRM_TOKEN"]
    [header] = entry["remotes"][0]["headers"]
    assert not token["isRequired"]
    assert not header["isRequired"]
    # The registry looks for this in the description of the package.
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")
