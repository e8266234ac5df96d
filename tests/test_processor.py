"""What the processor has decides where bfloat16 is used."""

import pytest

from zoo import backend, processor

LINUX = """processor\t: 0
model name\t: A Processor
flags\t\t: fpu avx2 avx512f {flags}

processor\t: 1
flags\t\t: fpu
"""


@pytest.fixture
def has(tmp_path, monkeypatch):
    """Give the machine another processor: one with `flags`, or one that nobody knows."""

    def give(flags):
        path = tmp_path / "cpuinfo"
        path.unlink(missing_ok=True)
        if flags is not None:
            path.write_text(LINUX.format(flags=flags))
        monkeypatch.setattr(processor, "_CPUINFO", path)
        processor._cpuinfo.cache_clear()

    yield give
    processor._cpuinfo.cache_clear()


@pytest.mark.parametrize(
    ("flags", "has_it", "trains_faster"),
    [
        ("avx512_bf16", True, False),
        ("avx512_bf16 amx_bf16 amx_tile", True, True),
        ("avx512_vnni", False, False),
        (None, False, False),
    ],
)
def test_bfloat16_is_asked_of_the_processor(has, flags, has_it, trains_faster, monkeypatch):
    has(flags)
    assert processor.has_bfloat16() is has_it
    monkeypatch.setattr(backend, "on_accelerator", lambda: False)
    assert backend.bfloat16_is_fast() is trains_faster


def test_the_machine_is_described(has):
    has("avx512_vnni avx512_bf16")
    assert processor.described().endswith(" cores of A Processor (avx2, avx512f, avx512_vnni, avx512_bf16)")
    has(None)
    assert processor.features() == ()
    assert processor.described().endswith("(features unknown)")
