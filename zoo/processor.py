"""What this machine's processor has, as Linux names it, and whether it computes in bfloat16 by itself."""

import functools
import os
import platform
import re
from pathlib import Path

COUNTED = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")  # for networks
BFLOAT16 = {"avx512_bf16", "amx_bf16"}
_CPUINFO = Path("/proc/cpuinfo")


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16.

    Where it does not, bfloat16 is several times slower than float32; where it does, it may be faster. A processor that
    nothing is known of, as outside of Linux, counts as one that does not.
    """
    return not BFLOAT16.isdisjoint(features())


def features() -> tuple[str, ...]:
    """Those of `COUNTED` that the processor has; none where the system does not say.

    Example:
        >>> set(features()) <= set(COUNTED)
        True
    """
    has = _cpuinfo().get("flags", "").split()
    return tuple(name for name in COUNTED if name in has)


def described() -> str:
    """The machine, for tables of speeds: cores, processor and features, such as "2 cores of AMD EPYC (avx2, ...)"."""
    name = _cpuinfo().get("model name") or platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {name} ({', '.join(features()) or 'features unknown'})"


@functools.cache
def _cpuinfo() -> dict[str, str]:
    """What Linux says about the first core; empty elsewhere."""
    try:
        first = _CPUINFO.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    return dict(re.findall(r"^(.+?)\s*: (.*)$", first, re.MULTILINE))
