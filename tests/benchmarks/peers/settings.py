"""The benchmark's settings with the URLs of django-mcpz, and no middleware before it."""

from tests.benchmarks.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.peers.mcpz"
MIDDLEWARE = []
