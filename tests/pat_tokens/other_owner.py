"""Settings of a host whose tokens belong to another model."""

from settings.test import *  # noqa: F403

PAT_TOKENS_OWNER_MODEL = "host_tokens.Membership"
