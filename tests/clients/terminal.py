"""Terminal for a program that signs a person in with a browser."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# What programs start to open a browser; here they note the address.
BROWSERS = ("xdg-open", "open", "sensible-browser", "www-browser", "x-www-browser", "google-chrome")
NOTE = '#!/bin/sh\nfor each in "$@"; do echo "$each" >> "$OPENED"; done\n'
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[=>()][0-9A-B]?)")
STATE = re.compile(r"[?&]state=([^&\s]+)")
# Wide, so that no address is broken into lines.
ROWS, COLUMNS = 50, 3000
# Seconds without output after which a program waits for its person; one that has something that
# moves on its screen never rests.
REST, RESTLESS = 2, 6

Decide = Callable[[str], str]


def browsers(folder: Path) -> Path:
    """A folder for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in BROWSERS:
        script = folder / name
        script.write_text(NOTE)
        script.chmod(0o755)
    return folder


class Terminal:
    """Runs programs with this environment; `decide` is called with what they want to open.

    Where it is None, a program that wants to sign somebody in is ended.
    """

    def __init__(
        self, env: Mapping[str, str], cwd: Path, authorize: str, decide: Decide | None
    ) -> None:
        self.opened = cwd / "opened"
        self.env = {**env, "OPENED": str(self.opened), "TERM": "xterm-256color"}
        self.cwd = cwd
        self.authorize = re.compile(re.escape(authorize) + r"\?[^\s\"'\\<>]+")
        self.decide = decide
        self.decided: list[str] = []

    def run(
        self,
        command: Sequence[str | Path],
        seconds: float = 90,
        until: str | None = None,
        keys: Sequence[tuple[str, str]] = (),
    ) -> str:
        """What the program printed, until it ended or `until` was printed.

        `keys` are typed in their order, each once its text has been printed since the one before,
        and nothing more is.
        """
        self.opened.unlink(missing_ok=True)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        program = subprocess.Popen(
            list(map(str, command)),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.env,
            cwd=self.cwd,
            start_new_session=True,
        )
        os.close(theirs)
        screen = Screen(ours)
        try:
            self._watch(program, screen, time.monotonic() + seconds, until, list(keys))
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGTERM)
                try:
                    program.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(program.pid, signal.SIGKILL)
            screen.close()
        return screen.text

    def _watch(
        self,
        program: subprocess.Popen[bytes],
        screen: "Screen",
        end: float,
        until: str | None,
        keys: list[tuple[str, str]],
    ) -> None:
        typed_at, since = 0, time.monotonic()
        while program.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
            shown = screen.text
            if not keys or keys[0][0] not in shown[typed_at:]:
                since = time.monotonic()
            elif screen.rested > REST or time.monotonic() - since > RESTLESS:
                screen.type(keys.pop(0)[1])
                typed_at = len(shown)
            if until and until in shown:
                return
            if self._has_opened(shown) and self.decide is None:
                return

    def _has_opened(self, shown: str) -> bool:
        """Whether the program opened something new, which is decided then."""
        noted = self.opened.read_text() if self.opened.exists() else ""
        for url in self.authorize.findall(noted) + self.authorize.findall(shown):
            state = STATE.search(url)
            if state and "code_challenge=" in url and state[1] not in self.decided:
                self.decided.append(state[1])
                if self.decide is not None:
                    self.decide(url)
                return True
        return False


class Screen:
    """What a program prints, read all the time: it must not wait for us to read it."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._printed = bytearray()
        self._last = time.monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return ESCAPES.sub("", self._printed.decode(errors="replace")).replace("\r", "")

    @property
    def rested(self) -> float:
        """Seconds since the last output."""
        return time.monotonic() - self._last

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def close(self) -> None:
        self._reader.join(10)
        os.close(self._terminal)

    def _read(self) -> None:
        while True:
            try:
                self._printed += os.read(self._terminal, 65_536)
            except OSError:
                # The program has ended.
                return
            self._last = time.monotonic()
