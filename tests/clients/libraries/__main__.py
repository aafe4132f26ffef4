"""Libraries that agents are built with, from a tool list to a call.

`python -m tests.clients.libraries FOLDER [NAME…]`. Installs them in FOLDER, which takes minutes
the first time, serves a demo, and prints a row of a Markdown table for each. Exits with 1 if a
library could not list or call the tools.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from tests.clients.__main__ import served
from tests.clients.model import playing

HERE = Path(__file__).parent
PYTHON = {
    "CrewAI": "with_crewai.py",
    "google-genai": "with_google_genai.py",
    "openai-agents": "with_openai_agents.py",
    "langchain-mcp-adapters": "with_langchain.py",
}
TYPESCRIPT = {"TypeScript SDK": "with_typescript.mjs"}
SDK = "@modelcontextprotocol/sdk@1.32.2"
SECONDS = 180


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="the libraries to try; all by default")
    options = parser.parse_args(namespace=argparse.Namespace(url=None, email=None))
    folder = options.folder.resolve()
    python = installed(folder)
    failed = False
    print("| library | lists | calls |\n|---|---|---|")
    with playing() as model, served(options, folder) as (host, _):
        people = json.loads((folder / "demo/credentials.json").read_text())["people"]
        environment = {
            **os.environ,
            "MCP_URL": host.url,
            "MCP_TOKEN": people[0]["token"],
            "MODEL_URL": model,
        }
        for name, script in {**PYTHON, **TYPESCRIPT}.items():
            if options.names and name not in options.names:
                continue
            program = [python, HERE / script] if name in PYTHON else ["node", folder / script]
            lists, calls = tried(list(map(str, program)), environment, folder)
            failed |= "no" in (lists, calls)
            print(f"| {name} | {lists} | {calls} |", flush=True)
    return int(failed)


def installed(folder: Path) -> Path:
    """The Python of an environment with the libraries; the TypeScript SDK is beside it."""
    python = folder / "venv/bin/python"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
        wanted = str(HERE / "requirements.txt")
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", wanted], check=True)
        quiet = ("--silent", "--no-audit", "--no-fund")
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "install", *quiet, "--prefix", folder, SDK], check=True)
    # Node looks for packages beside the script.
    for script in TYPESCRIPT.values():
        shutil.copy(HERE / script, folder / script)
    return python


def tried(program: list[str], environment: Mapping[str, str], folder: Path) -> tuple[str, str]:
    """How many tools the library listed, and whether its calls were answered."""
    said = subprocess.run(
        program, env=dict(environment), cwd=folder, capture_output=True, text=True, timeout=SECONDS
    )
    if said.returncode:
        print(said.stderr[-2_000:], file=sys.stderr)
        return "no", "no"
    seen = json.loads(said.stdout.splitlines()[-1])
    answered = seen["results"] and all(is_answer(each) for each in seen["results"])
    return f"{len(seen['tools'])} tools", "yes" if answered else "no"


def is_answer(result: str) -> bool:
    """Whether it is what a tool answers, and no error; often JSON within JSON."""
    return '"entity"' in result.replace("\\", "") and '"error"' not in result.replace("\\", "")


if __name__ == "__main__":
    sys.exit(main())
