#!/usr/bin/env python
"""Command line of the demo, with a PostgreSQL server of its own."""

import argparse
import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from settings.postgres import ensure_database_url


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
    ensure_database_url(data_folder(sys.argv[1:]))
    execute_from_command_line(sys.argv)


def data_folder(arguments: list[str]) -> Path:
    """Settings are read before a command parses its options, and they need the folder."""
    if os.environ["DJANGO_SETTINGS_MODULE"] == "settings.test":
        return Path(".test-db")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--dir", default=os.environ.get("DEMO_DIR", ".demo"))
    os.environ["DEMO_DIR"] = parser.parse_known_args(arguments)[0].dir
    return Path(os.environ["DEMO_DIR"])


if __name__ == "__main__":
    main()
