"""Skills, as a host of the extension reads and verifies them, and as the folder of all of them."""

import hashlib
import io
import json
import re
import zipfile
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.catalogue.prompts import PROMPTS
from bottlecrm_mcp.protocol.skills import archive, skills_of
from settings.asgi import application
from tests.agent import LEGACY, MODERN, Agent, prompt_text
from tests.bottlecrm_mcp.hosted.http import send

EXTENSION = "io.modelcontextprotocol/skills"
FRONTMATTER = re.compile(r"\A---\n(.*?)\n---\n\n(.*)\Z", re.DOTALL)
ANSWER: Any = TypeAdapter(dict[str, Any])


async def ask(agent: Agent, method: str, **params: str) -> dict[str, Any]:
    request = types.Request[Any, str](method=method, params=params)
    answer: dict[str, Any] = await agent.client.session.send_request(request, ANSWER)
    return answer


async def read(agent: Agent, uri: str) -> str:
    (content,) = (await agent.client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    assert content.mime_type == "text/markdown"
    return content.text


def parsed(text: str) -> tuple[dict[str, Any], str]:
    """Frontmatter and body; each value of ours is a JSON string, as YAML has them too."""
    found = FRONTMATTER.match(text)
    assert found
    pairs = (line.split(": ", 1) for line in found[1].splitlines())
    return {key: json.loads(value) for key, value in pairs}, found[2]


def test_listed_and_verified(live: Any, alpha_user: Any) -> None:
    async def steps(agent: Agent) -> list[str]:
        discovered = agent.client.session.discover_result
        if discovered is not None:
            assert discovered.capabilities.extensions == {EXTENSION: {}}
        listed = await ask(agent, "skills/list")
        assert (listed["resultType"], listed["cacheScope"]) == ("complete", "private")
        for skill in listed["skills"]:
            (resource,) = skill["resources"]
            assert resource["uri"] == skill["uri"]
            text = await read(agent, skill["uri"])
            raw = text.encode()
            assert resource["size"] == len(raw)
            assert resource["digest"] == f"sha256:{hashlib.sha256(raw).hexdigest()}"
            assert parsed(text)[0] == skill["frontmatter"]
            name, description = (skill["frontmatter"][key] for key in ("name", "description"))
            assert skill["uri"] == f"skill://bottlecrm/{name}/SKILL.md"
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
            assert len(name) <= 64
            assert len(description) <= 1024
            got = await ask(agent, "skills/get", uri=skill["uri"])
            assert got["skill"] == skill
        return [skill["frontmatter"]["name"] for skill in listed["skills"]]

    names = live(alpha_user, steps, era="auto")
    assert names == [prompt.name.replace("_", "-") for prompt in PROMPTS]
    assert len(names) == 8


def test_the_text_is_the_prompts(live: Any, alpha_user: Any) -> None:
    async def steps(agent: Agent) -> None:
        for uri, skill in skills_of(CATALOGUE.prompts).items():
            prompt = skill.prompt
            given = {each.name: each.default or each.name.upper() for each in prompt.arguments}
            asked = prompt_text(await agent.client.get_prompt(prompt.name, given))
            _, body = parsed(await read(agent, uri))
            assert body.endswith(f"{asked}\n")
            assert all(f"`{value}`:" in body for value in given.values())

    live(alpha_user, steps)


@pytest.mark.parametrize("uri", ["skill://bottlecrm/nothing/SKILL.md", "crm://me", "x" * 4_000])
def test_no_such_skill(live: Any, alpha_user: Any, uri: str) -> None:
    async def steps(agent: Agent) -> int:
        with pytest.raises(MCPError) as raised:
            await ask(agent, "skills/get", uri=uri)
        return raised.value.code

    assert live(alpha_user, steps, era=MODERN) == types.INVALID_PARAMS


@pytest.mark.parametrize("method", ["skills/list", "skills/get"])
def test_older_revisions_know_no_skills(live: Any, alpha_user: Any, method: str) -> None:
    async def steps(agent: Agent) -> int:
        capabilities = agent.client.server_capabilities
        assert capabilities is not None
        assert capabilities.extensions is None
        with pytest.raises(MCPError) as raised:
            await ask(agent, method, uri="skill://bottlecrm/my-day/SKILL.md")
        return raised.value.code

    assert live(alpha_user, steps, era=LEGACY) == types.METHOD_NOT_FOUND


def test_folder_of_all_skills() -> None:
    answer = send(application, method="GET", path="/mcp/skills.zip", body=b"")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.content == archive(CATALOGUE.prompts)
    skills = skills_of(CATALOGUE.prompts).values()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as folder:
        assert {each.filename: folder.read(each).decode() for each in folder.infolist()} == {
            f"{skill.name}/SKILL.md": skill.text for skill in skills
        }
    assert send(application, method="POST", path="/mcp/skills.zip", body=b"").status_code == 405
