from tests.conftest import *  # noqa: F403  (the database and the people of the tests)
