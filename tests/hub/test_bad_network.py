"""What passes is waited out; what does not is an error within seconds."""

import os
import time
from pathlib import Path

import pytest

from tests.hub_server.fetches import BODY, CONTENT, FILE, REPO, blobs, fetch, fetch_code
from tests.hub_server.server import Fault, HubServer


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", BODY, times=1, drop_after=1000),
        Fault("GET", BODY, times=1, drop_after=1000, reset=True),
        Fault("GET", BODY, times=1, status=503),
        Fault("HEAD", "/resolve/", times=2, status=503),
        Fault("HEAD", "/resolve/", times=1, status=429, headers={"Retry-After": "1"}),
        Fault("GET", BODY, times=1, status=429, headers={"Retry-After": "1"}),
    ],
    ids=["dropped", "reset", "503 on the body", "503 on the metadata", "429 on the metadata", "429 on the body"],
)
def test_what_passes_is_waited_out(hub: HubServer, commit: str, fault: Fault):
    hub.faults.append(fault)
    assert Path(fetch(hub)["path"]).read_bytes() == CONTENT
    assert fault.times == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", BODY, drop_after=1000, reset=True),
        Fault("GET", BODY, status=503),
        Fault("HEAD", "/resolve/", status=503),
        Fault("HEAD", "/resolve/", status=429, headers={"Retry-After": "3600"}),
        Fault("HEAD", "/resolve/", status=200),  # a proxy's login page
    ],
    ids=["reset", "503 on the body", "503 on the metadata", "429 for an hour", "not a Hub"],
)
def test_what_does_not_pass_is_an_error_within_seconds(hub: HubServer, commit: str, fault: Fault):
    hub.faults.append(fault)
    answer = fetch(hub)
    assert answer["error"] == "OfflineError"
    assert hub.endpoint in answer["message"]
    assert answer["seconds"] < 10
    assert blobs(hub) == []


def test_nothing_listening_is_an_error_within_seconds(hub: HubServer, commit: str):
    hub.stop()
    answer = fetch(hub)
    assert answer["error"] == "OfflineError"
    assert "Load it once with a working network" in answer["message"]
    assert answer["cause"] == "ConnectError"
    assert answer["seconds"] < 5


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_makes_no_request(hub: HubServer, commit: str, how: str):
    environment = {"HF_HUB_OFFLINE": "1"} if how == "environment" else None
    answer = fetch(hub, environment=environment, **({"offline": True} if how == "argument" else {}))
    assert answer["error"] == "OfflineError"
    assert f"'{FILE}' of '{REPO}' is not in {hub.cache}" in answer["message"]
    assert hub.log == []


def test_what_a_killed_process_left_is_cleared_a_day_later(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", BODY, times=1, pause_seconds=30))
    process = hub.start(fetch_code({"repo_id": REPO, "filename": FILE}))
    deadline = time.monotonic() + 30
    while not (blobs(hub) and hub.bodies(FILE)) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    (orphan,) = blobs(hub)
    os.utime(orphan, (time.time() - 100_000,) * 2)
    assert Path(fetch(hub)["path"]).read_bytes() == CONTENT
    assert not orphan.exists()
