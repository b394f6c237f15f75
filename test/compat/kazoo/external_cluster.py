"""Runs kazoo's own test suite against a server that somebody else starts and stops.

A pytest plugin (``-p external_cluster``). kazoo's harness asks ``get_global_cluster()`` for its servers; here that is
one server behind a small HTTP control channel: ``POST <KAZOO_CONTROL>/run`` and ``/stop`` answer when the server is up
or down. The test process on the other side owns the server, so that the same suite drives any of them.

Environment: KAZOO_SERVER host:port of the server; KAZOO_CONTROL base URL of the control channel; KAZOO_RESULT file that
gets one JSON object per test: id, outcome (passed, failed, skipped), seconds, reason; KAZOO_ONLY optional file with the
ids of the tests to run, one per line.

The suite imports two third-party modules that Debian's package does not depend on; both have a plain equivalent.
"""
import gc
import json
import os
import signal
import sys
import types
import unittest.mock
import urllib.request

import pytest

sys.modules.setdefault("mock", unittest.mock)

try:
    import objgraph  # noqa: F401
except ImportError:
    objgraph = types.ModuleType("objgraph")
    objgraph.count = lambda name, objects=None: sum(
        type(o).__name__ == name
        for o in (gc.get_objects() if objects is None else objects)
    )
    sys.modules["objgraph"] = objgraph

from kazoo.testing import harness  # noqa: E402


class ExternalServer(object):
    def __init__(self, address):
        self.address = address
        self.host, port = address.rsplit(":", 1)
        self.client_port = int(port)
        self.running = True

    def _control(self, verb):
        url = os.environ["KAZOO_CONTROL"] + "/" + verb
        with urllib.request.urlopen(url, data=b"", timeout=60) as answer:
            answer.read()

    def run(self):
        if not self.running:
            self._control("run")
            self.running = True

    def stop(self):
        if self.running:
            self._control("stop")
            self.running = False


class ExternalCluster(object):
    def __init__(self, servers):
        self._servers = servers

    def __getitem__(self, index):
        return self._servers[index]

    def __iter__(self):
        return iter(self._servers)

    def start(self):
        for server in self._servers:
            server.run()

    def stop(self):
        for server in self._servers:
            server.stop()


CLUSTER = ExternalCluster([ExternalServer(os.environ["KAZOO_SERVER"])])
harness.get_global_cluster = lambda: CLUSTER

results = {}

# kazoo waits without a limit. A test that waits so long fails with this word in its reason.
STUCK_AFTER_S = 60
STUCK = "stuck in the client"


def on_stuck(signum, frame):
    raise TimeoutError("%s for %d s" % (STUCK, STUCK_AFTER_S))


signal.signal(signal.SIGALRM, on_stuck)


def watched():
    signal.alarm(STUCK_AFTER_S)
    yield
    signal.alarm(0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup():
    yield from watched()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call():
    yield from watched()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown():
    yield from watched()



def short_id(nodeid):
    return nodeid.split("/")[-1]


def pytest_collection_modifyitems(items):
    if "KAZOO_ONLY" in os.environ:
        with open(os.environ["KAZOO_ONLY"]) as ids:
            wanted = set(ids.read().split("\n"))
        items[:] = [item for item in items if short_id(item.nodeid) in wanted]


def pytest_runtest_logreport(report):
    row = results.setdefault(
        report.nodeid, {"outcome": "passed", "seconds": 0.0, "reason": ""}
    )
    row["seconds"] += report.duration
    if report.outcome == "passed" or row["outcome"] == "failed":
        return
    row["outcome"] = report.outcome
    if report.skipped:
        row["reason"] = str(report.longrepr[2])
    else:
        row["reason"] = str(report.longrepr)[-2000:]


def pytest_sessionfinish(session):
    with open(os.environ["KAZOO_RESULT"], "w") as out:
        for nodeid, row in sorted(results.items()):
            out.write(json.dumps(dict(row, id=short_id(nodeid))) + "\n")
