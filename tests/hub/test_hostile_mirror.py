"""A mirror that is hostile or broken writes nowhere else, fills no memory or disk, ends, and its answers are typed."""

import gzip
import json
from hashlib import sha256

import pytest

from tests.hub_server.fetches import BODY, CONTENT, FILE, REPO, answers_in, blobs, fetch, fetch_code, fetches
from tests.hub_server.server import Fault, HubServer

DIGEST = sha256(CONTENT).hexdigest()
OTHER = "f" * 40


def declared(commit: str, **changes: str) -> Fault:
    """An answer to HEAD that is a Hub's but for the changes."""
    headers = {"X-Repo-Commit": commit, "X-Linked-Etag": f'"{DIGEST}"', "X-Linked-Size": str(len(CONTENT))}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return Fault("HEAD", "/resolve/", times=1, status=302, headers={"Location": "http://elsewhere.invalid/", **headers})


def files(hub: HubServer) -> set[str]:
    """Whatever lies below the client's home, outside the folders that a download makes."""
    found = (path.relative_to(hub.home) for path in hub.home.rglob("*") if path.is_file())
    return {str(path) for path in found if "blobs" not in path.parts and ".locks" not in path.parts}


NO_HUB = (
    {"X_Linked_Etag": '"../../../../X"'},
    {"X_Linked_Etag": "/etc/x"},
    {"X_Linked_Etag": f"{DIGEST}/../../x"},
    {"X_Linked_Etag": DIGEST.upper()},
    {"X_Linked_Etag": "\u00b2" * 64},
    {"X_Linked_Etag": ""},
    {"X_Repo_Commit": "../../../x"},
    {"X_Repo_Commit": "main"},
    {"X_Linked_Size": "-5"},
    {"X_Linked_Size": "-" + "9" * 30},
    {"X_Repo_Commit": OTHER},
)


def test_an_answer_that_is_not_the_hubs_is_refused_before_anything_is_written(hub: HubServer, commit: str):
    hub.faults += [declared(commit, **changes) for changes in NO_HUB]
    answers = fetches(hub, *[{}] * (len(NO_HUB) - 1), {"revision": "0" * 40})
    for answer, changes in zip(answers, NO_HUB, strict=True):
        assert answer.get("error") == "OfflineError", changes
        assert "is not a Hub" in answer["message"]
    assert (files(hub), blobs(hub), hub.bodies(FILE)) == (set(), [], 0)


def test_the_hub_is_asked_once_what_the_file_is(hub: HubServer, commit: str):
    """A second answer could name another file of this disk, under which the first one's bytes would be written."""
    hub.faults += [declared(commit), *[declared(commit, X_Linked_Etag='"../../../../X"') for _ in range(5)]]
    assert fetch(hub)["sha256"] == DIGEST
    assert len(hub.requests("HEAD")) == 1
    assert not [path for path in hub.home.parent.rglob("X*")]


def test_a_bad_address_of_the_content_is_not_another_error(hub: HubServer, commit: str):
    locations = ("http://[", "file:///etc/passwd", "\x80", "//", "http://localhost:99999/", "data:,x", "", "/none")
    for location in locations:
        hub.faults.append(Fault("GET", "/resolve/", times=1, status=302, headers={"Location": location}))
    answers = fetches(hub, *({"cache_dir": str(hub.home / str(number))} for number in range(len(locations))))
    errors = [answer.get("error") for answer in answers]
    assert set(errors) <= {None, "OfflineError", "UnknownModelError"}  # what may pass was asked for once more
    assert errors[0] == "OfflineError"


def test_a_bad_address_in_what_is_declared_is_not_another_error(hub: HubServer, commit: str):
    locations = ("http://[", "", "http://localhost:99999/", "http://localhost:1/\x80")
    hub.faults += [declared(commit, Location=location) for location in locations]
    answers = fetches(hub, *({"cache_dir": str(hub.home / str(number))} for number in range(len(locations))))
    assert {answer.get("error") for answer in answers} <= {None, "OfflineError"}


def test_a_redirect_without_end_ends(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", "/resolve/", status=302, headers={"Location": f"/{REPO}/resolve/{commit}/{FILE}"}))
    assert fetch(hub)["error"] == "OfflineError"


def test_what_does_not_fit_on_the_disk_is_not_begun(hub: HubServer, commit: str):
    hub.faults.append(declared(commit, X_Linked_Size="1000000000000000000"))
    answer = fetch(hub)
    assert answer["error"] == "AccessError"
    assert "Make room" in answer["message"]
    assert hub.bodies(FILE) == 0


def test_a_description_that_is_none_is_not_downloaded(hub: HubServer, commit: str):
    hub.faults.append(declared(commit, X_Linked_Size="100000000"))
    done = hub.run(f"import zoo; zoo.info('hf://{REPO}')")
    assert "IntegrityError: 'zoo.json' of 'owner/net' has 100,000,000 bytes. Expected at most 16,000,000" in done.stderr
    assert hub.requests("GET") == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", BODY, body=lambda content: content + b"x"),
        Fault("GET", BODY, is_endless=True, body=lambda content: content, headers={}),
        Fault("GET", BODY, status=200, headers={"Content-Encoding": "gzip"}, body=lambda _: gzip.compress(CONTENT)),
        Fault(
            "GET", BODY, status=200, headers={"Content-Encoding": "gzip"}, body=lambda _: gzip.compress(bytes(1 << 27))
        ),
        Fault("GET", BODY, status=200, headers={"Content-Encoding": "x"}),
        Fault(
            "GET", BODY, status=200, headers={"Content-Length": str(1 << 50)}, is_endless=True, body=lambda _: CONTENT
        ),
    ],
    ids=["one more", "bytes after the end", "packed", "a bomb", "packed somehow", "endless"],
)
def test_a_body_other_than_declared_is_cut_off(hub: HubServer, commit: str, fault: Fault):
    hub.faults.append(fault)
    memory = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 29,) * 2)\n"
    done = hub.run(memory + fetch_code({"repo_id": REPO, "filename": FILE}))
    [answer] = answers_in(done.stdout)
    if answer.get("error") is None:  # what follows a whole body belongs to no answer
        assert fault.status is None
        assert answer["sha256"] == DIGEST
    else:
        assert answer["error"] == "IntegrityError"
        assert blobs(hub) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("HEAD", "/resolve/", wait_seconds=1),
        Fault("GET", "/resolve/", wait_seconds=1),
        Fault("GET", BODY, wait_seconds=1),
        Fault("GET", BODY, pause_seconds=1),
    ],
    ids=["declared", "redirected", "content", "in the content"],
)
def test_an_answer_that_stalls_ends(hub: HubServer, commit: str, fault: Fault):
    hub.faults.append(fault)
    patience = "from zoo.hub import download, fetching; fetching.ANSWER_SECONDS = download.START_SECONDS = 0.3\n"
    patience += "download.SLOWEST_BYTES_PER_SECOND = 10**9\n"
    done = hub.run(patience + fetch_code({"repo_id": REPO, "filename": FILE}))
    [answer] = answers_in(done.stdout)
    assert answer["error"] == "OfflineError", done.stderr
    assert answer["seconds"] < 3
    assert blobs(hub) == []


def test_how_long_to_wait_is_read_or_left():
    from types import SimpleNamespace

    from zoo.hub.patience import asked_to_wait_seconds

    def asked(value: str) -> float:
        return asked_to_wait_seconds(SimpleNamespace(response=SimpleNamespace(headers={"Retry-After": value})))

    assert [asked(value) for value in ("0", "7", "3600", "999999999")] == [0, 7, 3600, 999999999]
    wrong = (
        "",
        "²",
        "\u0661\u0662",
        "\uff11",
        "-1",
        "1.5",
        "1e9",
        "9" * 5000,
        "soon",
        "\x00",
        "Wed, 99 Oct 2015",
        "None",
    )
    assert {asked(value) for value in wrong} == {0}
    assert asked("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert asked("Fri, 31 Dec 9999 23:59:59 GMT") > 1e9
    assert asked_to_wait_seconds(ValueError()) == 0


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_odd_times_to_wait_are_not_another_error(hub: HubServer, commit: str, method: str):
    values = ["²", "-1", "9" * 30, "Fri, 31 Dec 9999 23:59:59 GMT", "\x80\xff"]
    for value in values:
        hub.faults.append(Fault(method, "/resolve/", times=1, status=429, headers={"Retry-After": value}))
    answers = fetches(hub, *({"cache_dir": str(hub.home / str(number))} for number in range(len(values))))
    assert {answer.get("error") for answer in answers} <= {None, "OfflineError"}
    assert max(answer["seconds"] for answer in answers) < 10


def test_what_a_server_says_is_one_short_line_of_text(hub: HubServer, commit: str):
    said = "\x1b[2J\x07" + "[/b]" * 5000
    headers = {"X-Error-Message": said.encode("latin-1").decode("latin-1"), "X-Error-Code": "RepoNotFound\x1b"}
    hub.faults.append(Fault("HEAD", "/resolve/", status=403, headers=headers))
    message = fetch(hub)["message"]
    assert "\x1b" not in message
    assert len(message) < 1000


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"3",
    b'"x"',
    b"{}",
    b"[" * 100_000,
    b"\xff\xfe",
    b'{"id": 3}',
    b'{"id": "owner/net", "sha": 3, "siblings": 4}',
    b'{"id": "owner/net", "sha": "x", "siblings": [{"rfilename": 3, "size": "a", "lfs": 5}]}',
    b'{"id": "owner/net", "siblings": [null], "lastModified": "never"}',
    b'{"branches": 1, "tags": [{}], "converts": null}',
]


def test_odd_answers_to_what_a_publisher_asks_are_typed(hub: HubServer, commit: str):
    for body in BODIES:
        for path in ("/api/models/[^/]*/[^/]*$", "/refs"):
            hub.faults.append(Fault("GET", path, times=1, status=200, body=lambda _, body=body: body))
    code = f"""
import json
from zoo.errors import ZooError
from zoo.hub.uploading import Upload

upload, errors = Upload({REPO!r}, "hf_valid"), []
def look():
    return upload.check(private=False, must_exist=True, version=None)

for _ in range({len(BODIES)}):
    for ask in (look, upload._head, upload._versions):
        try:
            ask()
        except ZooError as error:
            errors.append(str(error))
print(json.dumps(errors))
"""
    done = hub.run(code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_answers_to_a_publisher_are_bounded(hub: HubServer, commit: str):
    much = Fault("GET", "/api/models/", status=200, headers={"Content-Length": str(1 << 50)}, is_endless=True)
    much.body = lambda _: b" " * (1 << 20)
    packed = Fault("GET", "/api/models/", status=200, headers={"Content-Encoding": "gzip"}, times=1)
    packed.body = lambda _: gzip.compress(bytes(1 << 28))
    stalled = Fault("GET", "/api/models/", wait_seconds=1, times=1)
    hub.faults += [packed, stalled, much]
    code = f"""
import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 29,) * 2)
from zoo.hub import uploading
from zoo.errors import ZooError

uploading.ANSWER_SECONDS, uploading.PAUSES_SECONDS = 0.5, ()
for _ in range(3):
    try:
        uploading.Upload({REPO!r}, "hf_valid")._head()
    except ZooError as error:
        print(type(error).__name__, end=" ")
        print(error, file=sys.stderr)
"""
    done = hub.run(code)
    assert done.stdout.split() == ["OfflineError"] * 3, done.stderr
