"""The demo in a browser: pick a model, give it an image or take a sample, and see its predictions. `zoo demo`.

    page.py         the page: which model, its facts, what goes in, what comes out
    models.py       which models it may show, and those that stay loaded
    views.py        one line per task: its input, its output, its samples
    inputs.py       what goes in: an image, one with a brush, a file, a place
    painting.py     what is painted over an image
    outputs.py      what comes out: bars, overlays, sliders, plots
    facts.py        what is shown about a model beside its predictions
    guard.py        what a visitor may do
    uploads.py      which files are opened
    samples/        small images and arrays, made by tools/demo_samples.py

It is made with Gradio, of the extra `layerzoo[demo]`; nothing is measured or sent anywhere, and nothing is loaded from
elsewhere but the models that come from the Hub.
"""

import os
import signal
import socket
import sys
import tempfile
import threading
from importlib.util import find_spec

from zoo.errors import InputError, MissingExtraError


def serve(
    handle: str | None = None, *, host: str | None = None, port: int | None = None, lend_token: bool = False
) -> None:
    """Serve the page until it is interrupted, and print its address.

    Args:
        handle: The one model that the page shows: whatever `zoo.load` takes, or the folder of an export. None for a
            page on which one is picked: any of the registry, or a handle that is typed. Folders and `.keras` files may
            be typed on loopback only.
        host: The address to listen on. None follows `GRADIO_SERVER_NAME`, as Spaces set it, else loopback. On loopback
            the page answers nobody who reached it by another name.
        port: None follows `GRADIO_SERVER_PORT`, else the first free one from 7860.
        lend_token: Whether what is typed elsewhere than on loopback is loaded with the token of this machine, so that
            anybody can use the private models that it may read.

    Raises:
        InputError: The port cannot be listened on, or nobody has trained the model.
        MissingExtraError: The extra `layerzoo[demo]` is not installed.
        As `zoo.load`, for a handle.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    if port is not None:
        _check_free(host, port)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported
    if find_spec("gradio") is None:
        raise MissingExtraError("A demo needs gradio, which is not installed. Expected: pip install 'layerzoo[demo]'.")
    from starlette.middleware import Middleware

    from zoo.demo.guard import Guard, is_loopback
    from zoo.demo.page import OPTIONS, build

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the uploads are deleted then, too
    middleware = [Middleware(Guard, host=host)]
    with tempfile.TemporaryDirectory(prefix="zoo-demo-", ignore_cleanup_errors=True) as uploads:
        os.environ.setdefault("GRADIO_TEMP_DIR", uploads)  # else all pages of this user share one
        page = build(handle, own_files=is_loopback(host), own_token=lend_token or is_loopback(host))
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            app_kwargs={"middleware": middleware},
            **OPTIONS,
        )
        print(address, flush=True)
        page.block_thread()


def _check_free(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise InputError(
            f"Port {port} of {host} cannot be listened on ({error.strerror or error}). Expected a free port and an "
            "address of this machine."
        ) from error
