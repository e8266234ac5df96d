"""What a visitor who writes requests by hand gets: what the page offers, and nothing else of the server."""

import io
import json
import os
import uuid
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

import zoo
from zoo.demo.guard import BODY_BYTES, UPLOAD_BYTES

SAMPLES = Path(zoo.__file__).parent / "demo" / "samples"
REFUSED = r"That file was not uploaded to this page\. Expected an upload or a sample; drop it again\."
PAINTED = "Paint over what is to be filled"
MARKED = {"meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def client(address):
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def events(client):
    """The events of the page by the label of what goes in and of what comes out first."""
    config = client.get("/config").json()
    labels = {part["id"]: part["props"].get("label", part["type"]) for part in config["components"]}
    return {
        (str(labels[event["inputs"][-1]]).split(":")[0], labels[event["outputs"][0]]): event["id"]
        for event in config["dependencies"]
        if event["inputs"] and event["outputs"]
    }


def ask(client, event, *data):
    """Run an event as the page does, and return its response; None where Gradio has only "Error" to say."""
    session = uuid.uuid4().hex[:8]
    joined = client.post("/gradio_api/queue/join", json={"data": data, "fn_index": event, "session_hash": session})
    assert joined.status_code == 200, joined.text
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            if "process_completed" in line:
                message = json.loads(line[5:])
                return message["output"].get("data")


def forbidden(tmp_path, uploads):
    """Paths that must not be opened, of files that exist and of some that do not."""
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 8), (255, 0, 0)).save(photo)
    (uploads / "link.png").unlink(missing_ok=True)
    (uploads / "link.png").symlink_to(photo)
    if not (uploads / "pipe.png").exists():
        os.mkfifo(uploads / "pipe.png")
    return [
        str(photo),
        str(tmp_path / "nothing.png"),
        f"{uploads}/../{photo.relative_to(uploads.parent)}",
        f"{uploads}/link.png",
        f"{uploads}/pipe.png",
        f"file://{photo}",
        "/dev/zero",
        "https://localhost/photo.png",
        "http://169.254.169.254/latest",
    ]


@pytest.mark.parametrize("marks", [{}, MARKED], ids=["path", "marked"])
@pytest.mark.parametrize(
    ("handle", "given", "answered"),
    [
        ("espcn-x2.photos", "Image", "Before | after"),
        ("sparseconvnet.random-density", "Depths", "What was measured"),
        ("tcn-co2.mauna-loa", "Series, oldest first", "Series and forecast"),
    ],
)
def test_no_file_is_opened_but_uploads_and_samples(client, events, handle, given, answered, marks, tmp_path, uploads):
    event = events[given, answered]
    for path in forbidden(tmp_path, uploads):
        *answers, sentence = ask(client, event, handle, {"path": path, **marks})
        assert (set(answers), sentence.replace("\\", "")) == ({None}, REFUSED.replace("\\", ""))


def test_no_file_is_painted_on_but_uploads(client, events, tmp_path, uploads):
    event = events[PAINTED, "Before | after"]
    for path in forbidden(tmp_path, uploads):
        file = {"path": path, **MARKED}
        *answers, sentence = ask(
            client, event, "pconv-unet.photos", {"background": file, "layers": [], "composite": file}
        )
        assert (set(answers), sentence.replace("\\", "")) == ({None}, REFUSED.replace("\\", ""))
        assert ask(client, events["Image", PAINTED], {"path": path}) is None


def test_samples_and_uploads_are_opened(client, events):
    uploaded = client.post(
        "/gradio_api/upload", files={"files": ("cat.jpg", (SAMPLES / "cat.jpg").read_bytes())}
    ).json()
    for file in ({"path": str(SAMPLES / "cat.jpg")}, {"path": uploaded[0], **MARKED}):
        [images, said] = ask(client, events["Image", "Before | after"], "espcn-x2.photos", file)
        assert "took" in said
        with Image.open(io.BytesIO(client.get(images[1]["url"]).content)) as larger:
            assert larger.size == (450, 300)


@pytest.mark.parametrize("handle", [None, 3, ["espcn-x2"], {"path": "x"}, "", "~", "a\x1b[2J<b>", "x" * 10_000])
def test_what_is_not_a_handle_is_one_error(client, events, handle):
    sentence = ask(client, events["Image", "Before | after"], handle, {"path": str(SAMPLES / "cat.jpg")})[-1]
    assert sentence
    assert "\x1b" not in sentence
    assert "<b>" not in sentence.replace("\\<", "")


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://localhost/",
        "/gradio_api/file=https://example.org/",
        "/gradio_api/file=//example.org/",
        "/gradio_api/file={secret}",
        "/gradio_api/file={secret}.nothing",
        "/gradio_api/file={uploads}/../../..{secret}",
        "/file={secret}",
        "/file/{secret}",
        "/gradio_api/proxy=http://localhost/",
        "/gradio_api/stream/a/b/0/playlist.m3u8",
        "/gradio_api/call/answer/x",
        "/gradio_api/runs",
        "/gradio_api/openapi.json",
        "/gradio_api/deep_link",
        "/gradio_api/dev/reload",
        "/gradio_api/custom_component/1/client/component/x.js",
        "/gradio_api/vibe-code/",
        "/static/../../../../../../../../../..{secret}",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{secret}",
        "/monitoring",
        "/docs",
        "/login",
    ],
)
def test_what_the_page_does_not_need_is_not_offered(address, path, tmp_path, uploads):
    (tmp_path / "secret.txt").write_text("the secret")
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:  # it leaves `..` as they are
        connection.request("GET", path.format(secret=tmp_path / "secret.txt", uploads=uploads))
        answer = connection.getresponse()
        assert answer.status in (403, 404)
        assert b"the secret" not in answer.read()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_no_other_method_is_offered(client, method):
    assert client.request(method, "/gradio_api/queue/join").status_code == 404


@pytest.mark.parametrize(
    "path", ["run/predict", "run/answer", "api/answer", "call/answer", "stream/a", "process_recording", "vibe-edit/"]
)
def test_events_run_in_the_queue_only(client, events, path):
    sent = {"data": ["espcn-x2", {"path": str(SAMPLES / "cat.jpg")}], "fn_index": events["Image", "Before | after"]}
    assert client.post(f"/gradio_api/{path}", json=sent).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[", "10.0.0.1"]
)
def test_a_page_on_loopback_answers_to_no_other_name(client, host):
    for path in ("/", "/config", "/gradio_api/queue/data"):
        assert client.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1", "127.8.9.1:80", "[::1]:80", "LOCALHOST"])
def test_a_page_on_loopback_answers_to_its_names(client, host):
    assert client.get("/config", headers={"Host": host}).status_code == 200


def test_a_page_on_loopback_answers_no_other_site(client):
    for origin in ("https://evil.example", "http://127.0.0.1.evil.example", "null"):
        posted = client.post("/gradio_api/upload", files={"files": ("a", b"a")}, headers={"Origin": origin})
        assert posted.status_code == 403
    forwarded = {"Origin": "https://a.example", "X-Forwarded-Host": "a.example"}  # by a tunnel of the owner
    assert client.post("/gradio_api/upload", files={"files": ("a", b"a")}, headers=forwarded).status_code == 200


def test_nothing_larger_than_offered_is_taken(client):
    assert client.post("/gradio_api/queue/join", content=b" " * (BODY_BYTES + 1)).status_code == 413
    much = {"files": ("a", io.BytesIO(bytes(UPLOAD_BYTES + BODY_BYTES)))}
    assert client.post("/gradio_api/upload", files=much).status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"data": NaN}', b"\xff"])
def test_what_is_not_a_question_is_refused(client, body):
    sent = client.post("/gradio_api/queue/join", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= sent.status_code < 500


def test_parts_of_a_painting_have_a_bound():
    from types import SimpleNamespace

    from zoo.demo.painting import KEPT, LAYERS, PART_BYTES, Paintings

    paintings = Paintings()

    def accept(painting="p", kind="layer", index="0", part=b"x"):
        fields = {"id": painting, "type": kind, "index": index}
        paintings.accept(SimpleNamespace(data=fields, files=[("blob", part)]))

    accept(kind="background", index="null")
    for index in (*range(LAYERS), LAYERS, 10**9, -1, "null", None, []):
        accept(index=index if index is None else str(index))
    accept(index="1", part=bytes(PART_BYTES + 1))
    paintings.accept(SimpleNamespace())
    paintings.accept(SimpleNamespace(data=None, files=[]))
    assert paintings.take(SimpleNamespace(id="p")) == {"background": b"x", "layers": [b"x"] * LAYERS}
    for number in range(KEPT + 3):
        accept(f"painting {number}")
    assert paintings.take(SimpleNamespace(id="painting 0")) == {"background": None, "layers": []}
    assert paintings.take(SimpleNamespace(id=f"painting {KEPT + 2}"))["layers"] == [b"x"]
