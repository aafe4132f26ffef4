"""The benchmark's settings with the URLs of django-mcpz, and only what gives a length before it."""

from tests.benchmarks.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.peers.mcpz"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
