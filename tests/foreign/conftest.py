"""Fixtures of the foreign job, and the table that it ends with."""
import pytest

# Fixtures of the end-to-end tests: the agent as a child.
from e2e.conftest import pytest_collection_modifyitems, start_agent  # noqa: F401
from foreign import table
from support import tls
from support.aligned import show_at_the_end


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return tls.Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    return tmp_path_factory.mktemp("classes")


def pytest_terminal_summary(terminalreporter):
    if table.rows:
        show_at_the_end(terminalreporter, "seen of made", table.text(), table.PATH)
