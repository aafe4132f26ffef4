"""Bundle for Claude Desktop (.mcpb), made of a built wheel: `python deploy/mcpb/bundle.py dist`.

The bundle holds no dependencies: the host installs them with uv, for its own platform.
"""

import json
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

HERE = Path(__file__).parent
PROJECT = """\
[project]
name = "bcrm-mcp-bundle"
version = "{version}"
requires-python = ">=3.11"
dependencies = ["bcrm-mcp"]

[tool.uv]
package = false

[tool.uv.sources]
bcrm-mcp = {{ path = "{wheel}" }}
"""
# The same files make the same bundle.
DATE = (1980, 1, 1, 0, 0, 0)


def bundle(folder: Path) -> Path:
    """The bundle of the one wheel in this folder, written beside it."""
    (wheel,) = folder.glob("bcrm_mcp-*.whl")
    version = wheel.name.split("-")[1]
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    manifest["version"] = version
    files = {
        "manifest.json": json.dumps(manifest, indent=2, ensure_ascii=False).encode(),
        "pyproject.toml": PROJECT.format(version=version, wheel=wheel.name).encode(),
        "server.py": (HERE / "server.py").read_bytes(),
        wheel.name: wheel.read_bytes(),
    }
    target = folder / f"bcrm-mcp-{version}.mcpb"
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = ZipInfo(name, DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, ZIP_DEFLATED)
    return target


if __name__ == "__main__":
    print(bundle(Path(sys.argv[1])))
