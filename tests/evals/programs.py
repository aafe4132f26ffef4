"""Programs that a model drives: how each is asked a task, and what it says of its tokens."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "bottlecrm"
MINUTES = 10


@dataclass(frozen=True)
class Said:
    """The last words, and the tokens that the program counted."""

    answer: str
    tokens_in: int = 0
    tokens_out: int = 0


class Program:
    """`bin` is the folder of the program, `model` a scripted model's address or nothing."""

    name: str

    def __init__(self, bin: Path | None, model: str) -> None:
        self.bin, self.model = bin, model

    def ask(self, words: str, url: str, folder: Path) -> Said:
        """Raises `RuntimeError` if the program fails."""
        self.configure(url, folder)
        ran = subprocess.run(
            self.command(words, url),
            cwd=folder,
            env=self.environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MINUTES * 60,
        )
        (folder / "stdout").write_text(ran.stdout)
        (folder / "stderr").write_text(ran.stderr)
        try:
            return self.said(ran.stdout)
        except (ValueError, KeyError, StopIteration) as problem:
            told = (ran.stdout + ran.stderr)[-500:]
            raise RuntimeError(f"{self.name} ended with {ran.returncode}: {told}") from problem

    def configure(self, url: str, folder: Path) -> None:
        """Nothing, where the command says it all."""

    def command(self, words: str, url: str) -> list[str]:
        raise NotImplementedError

    def said(self, printed: str) -> Said:
        raise NotImplementedError

    def for_scripted_model(self) -> Mapping[str, str]:
        """What points the program to the scripted model."""
        raise NotImplementedError

    def environment(self, folder: Path) -> dict[str, str]:
        path = os.environ["PATH"]
        env = {**os.environ, "PATH": f"{self.bin}:{path}" if self.bin else path}
        if self.model:
            env |= {"HOME": str(folder), **self.for_scripted_model()}
        return env


class Claude(Program):
    name = "claude"

    def command(self, words: str, url: str) -> list[str]:
        servers = {"mcpServers": {NAME: {"type": "http", "url": url}}}
        return [
            "claude", "-p", words, "--output-format", "json",
            "--strict-mcp-config", "--mcp-config", json.dumps(servers),
            "--allowedTools", f"mcp__{NAME}",
        ]  # fmt: skip

    def for_scripted_model(self) -> Mapping[str, str]:
        return {
            "ANTHROPIC_BASE_URL": self.model,
            "ANTHROPIC_API_KEY": "sk-ant-none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            # Else tools are found by a search of the model's.
            "ENABLE_TOOL_SEARCH": "false",
        }

    def said(self, printed: str) -> Said:
        told = json.loads(printed)
        used = told.get("usage", {})
        cached = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        tokens_in = sum(used.get(each) or 0 for each in cached)
        return Said(str(told["result"]), tokens_in, used.get("output_tokens", 0))


class Codex(Program):
    name = "codex"

    def command(self, words: str, url: str) -> list[str]:
        settings = {
            f"mcp_servers.{NAME}.url": url,
            # Nobody is there to approve of calls that write.
            f"mcp_servers.{NAME}.default_tools_approval_mode": "approve",
            "approval_policy": "never",
        }
        if self.model:
            settings |= {
                "model": "gpt-5",
                "model_provider": "part",
                "model_providers.part.name": "part",
                "model_providers.part.base_url": f"{self.model}/v1",
                "model_providers.part.wire_api": "responses",
                "model_providers.part.env_key": "PART_KEY",
            }
        given = [part for pair in settings.items() for part in ("-c", f"{pair[0]}={pair[1]}")]
        return ["codex", "exec", "--skip-git-repo-check", "--json", *given, words]

    def for_scripted_model(self) -> Mapping[str, str]:
        return {"PART_KEY": "none"}

    def said(self, printed: str) -> Said:
        events = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        items = [each["item"] for each in events if each.get("type") == "item.completed"]
        words = [each["text"] for each in items if each.get("type") == "agent_message"]
        used = [each.get("usage", {}) for each in events if each.get("type") == "turn.completed"]
        return Said(
            words[-1] if words else next(iter(())),
            sum(each.get("input_tokens", 0) for each in used),
            sum(each.get("output_tokens", 0) for each in used),
        )


class Gemini(Program):
    name = "gemini"

    def configure(self, url: str, folder: Path) -> None:
        settings: dict[str, Any] = {
            "general": {"disableAutoUpdate": True},
            "security": {"folderTrust": {"enabled": False}},
            "mcpServers": {NAME: {"httpUrl": url, "trust": True}},
        }
        if self.model:
            settings["security"] |= {"auth": {"selectedType": "gemini-api-key"}}
        file = folder / ".gemini/settings.json"
        file.parent.mkdir()
        file.write_text(json.dumps(settings))

    def command(self, words: str, url: str) -> list[str]:
        # By name, else it asks another model which one to ask.
        model = ["--model", "gemini-2.5-flash"] if self.model else []
        return ["gemini", *model, "--yolo", "--output-format", "json", "-p", words]

    def for_scripted_model(self) -> Mapping[str, str]:
        return {"GOOGLE_GEMINI_BASE_URL": self.model, "GEMINI_API_KEY": "none"}

    def said(self, printed: str) -> Said:
        told = json.loads(printed[printed.index("{") :])
        models: list[Any] = list(told.get("stats", {}).get("models", {}).values())
        used = [each.get("tokens", {}) for each in models]
        return Said(
            str(told["response"]),
            sum(each.get("prompt", 0) for each in used),
            sum(each.get("candidates", 0) for each in used),
        )


PROGRAMS = {each.name: each for each in (Claude, Codex, Gemini)}
