"""Fixtures: the agent, and servers it watches. One agent at a time on a host, so tests run one
after the other; each ends with the accounting identities."""
import os

import pytest

from support import provoked, tls
from support.accounting import assert_identities
from support.agent import Agent
from support.aligned import show_at_the_end
from support.servers import Nginx


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root to run the agent"))


def pytest_terminal_summary(terminalreporter):
    if provoked.rows:
        show_at_the_end(terminalreporter, "why: provoked, expected and seen (ms)", provoked.text(),
                        provoked.PATH)


@pytest.fixture
def start_agent(tmp_path):
    """start_agent(*flags, ports=[...], window=..., config=...): a running agent. At the end of the
    test every agent still running must balance and end in time."""
    agents = []

    def start(*arguments, **settings):
        folder = tmp_path / f"agent{len(agents)}"
        folder.mkdir()
        agent = Agent(folder, *arguments, **settings)
        agents.append(agent)
        return agent

    yield start
    for agent in agents:
        if not agent.process.running():
            continue
        try:
            assert_identities(agent)
        finally:
            assert agent.stop() == 0, agent.log()
        agent.report().check()


@pytest.fixture
def nginx(tmp_path):
    with Nginx(tmp_path / "nginx") as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    return tls.Certificate(tmp_path)


@pytest.fixture(scope="session")
def go(tmp_path_factory):
    """The Go service of tests/support, without its symbols."""
    return tls.build_go(tmp_path_factory.mktemp("go"), stripped=True)
