"""Skills: the catalogue's prompts as documents in the form of the Agent Skills specification.

The extension `io.modelcontextprotocol/skills` lists them with digests and serves each as a
resource; clients without it take them as a folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mcp_types as types

from bottlecrm_mcp.catalogue.model import Prompt, PromptArgument
from bottlecrm_mcp.protocol.metadata import LIST_LIFETIME_MS

ROOT = "skill://bottlecrm/"
FILE = "SKILL.md"
MARKDOWN = "text/markdown"
NEEDS = "The tools of BottleCRM's MCP server (crm_search, crm_get and others)"


class GetSkillParams(types.RequestParams):
    """Parameters of `skills/get`."""

    uri: str


@dataclass(frozen=True)
class Skill:
    """One prompt as a skill."""

    prompt: Prompt

    @property
    def name(self) -> str:
        return self.prompt.name.replace("_", "-")

    @property
    def uri(self) -> str:
        return f"{ROOT}{self.name}/{FILE}"

    @property
    def frontmatter(self) -> dict[str, str]:
        return {
            "name": self.name,
            "description": f"{self.prompt.description} {self.prompt.when}",
            "compatibility": NEEDS,
        }

    @property
    def text(self) -> str:
        # A JSON string is one of YAML's.
        head = "".join(f"{key}: {json.dumps(text)}\n" for key, text in self.frontmatter.items())
        inputs = "".join(f"- {_input(each)}\n" for each in self.prompt.arguments)
        body = self.prompt.filled_in({each.name: _shown(each) for each in self.prompt.arguments})
        parts = [f"# {self.prompt.title}\n", inputs, f"{body}\n"]
        return f"---\n{head}---\n\n" + "\n".join(filter(None, parts))

    def entry(self) -> dict[str, Any]:
        """What `skills/list` and `skills/get` tell of it."""
        raw = self.text.encode()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        resource = {"uri": self.uri, "digest": digest, "size": len(raw)}
        return {"uri": self.uri, "frontmatter": self.frontmatter, "resources": [resource]}


def skills_of(prompts: Iterable[Prompt]) -> dict[str, Skill]:
    """The skills by their URIs."""
    skills = (Skill(prompt) for prompt in prompts)
    return {skill.uri: skill for skill in skills}


def archive(prompts: Iterable[Prompt]) -> bytes:
    """A ZIP archive with a folder for each skill; the same bytes for the same texts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for skill in skills_of(prompts).values():
            folder.writestr(zipfile.ZipInfo(f"{skill.name}/{FILE}"), skill.text)
    return packed.getvalue()


def result(**told: Any) -> dict[str, Any]:
    """A result of one of the extension's methods."""
    kept = {"ttlMs": LIST_LIFETIME_MS, "cacheScope": "private"}
    return {"resultType": "complete", **told, **kept}


def _shown(argument: PromptArgument) -> str:
    return argument.default or argument.name.upper()


def _input(argument: PromptArgument) -> str:
    """What stands in the text, and what to put there."""
    usual = "as it stands unless they say otherwise" if argument.default else "ask if it is unclear"
    return f"`{_shown(argument)}`: {argument.description} ({usual})"
