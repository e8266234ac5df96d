"""Damaged and hostile versions of files: the same number gives the same one."""

import copy
import json
import struct
from random import Random
from typing import Any

NUMBERS = (0, 1, -1, 2, 255, 256, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 10**30)
VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 0.5, 1, 3, 224, 65_536, 10**9, 10**18, -(10**18), 1e308, 1e-320),
    *(
        float("nan"),
        float("inf"),
        "",
        "x",
        "..",
        "../x",
        "/etc/passwd",
        "a" * 5000,
        "\x1b[2J\n[/b]",
        "\ud800",
        "3",
        "²",
    ),
    *([], {}, [[]], [None], [1, 2, 3], ["a", "b"], [10**9] * 4, {"a": 1}, [[[[[[1]]]]]], ["a"] * 2000),
)


def mutated(content: bytes, random: Random) -> bytes:
    """Bytes that are flipped, cut, repeated, moved or overwritten with numbers that are limits."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        size = len(changed)
        where = random.randrange(size + 1) if random.random() < 0.5 else random.randrange(min(size, 128) + 1)
        length = random.choice((1, 2, 4, 8, 64, size // 2 + 1))
        kind = random.randrange(7)
        if kind == 0 and size:
            changed[where % size] ^= 1 << random.randrange(8)
        elif kind == 1:
            changed[where : where + length] = random.randbytes(length)
        elif kind == 2:
            del changed[where : where + length]
        elif kind == 3:
            changed[where:where] = changed[where : where + length] * random.choice((1, 2, 50))
        elif kind == 4:
            number = random.choice(NUMBERS) & (2**64 - 1)
            form = random.choice(("<Q", ">Q", "<I", ">I", "<H", ">H"))
            packed = struct.pack(form, number & (2 ** (8 * struct.calcsize(form)) - 1))
            changed[where : where + len(packed)] = packed
        elif kind == 5:
            del changed[where:]
        else:
            changed[where : where + length] = bytes([random.choice((0, 255, 32, 34, 91, 123))]) * length
    return bytes(changed[: 1 << 22])


def mutated_value(value: Any, random: Random) -> Any:
    """A JSON value in which some members are replaced, removed, renamed or added."""
    changed = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        place = _place(changed, random)
        if place is None:
            return copy.deepcopy(random.choice(VALUES))
        holder, key = place
        kind = random.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[random.choice(("", "name", "x" * 300, "__class__", str(key) + " "))] = holder.pop(key)
        elif kind == 2 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] *= random.choice((-1, 0, 2, 3, 1000, 10**9))
        else:
            holder[key] = copy.deepcopy(random.choice(VALUES))
    return changed


def mutated_json(content: bytes, random: Random) -> bytes:
    """JSON that is another value, or now and then no JSON."""
    if random.random() < 0.15:
        return mutated(content, random)
    return json.dumps(mutated_value(json.loads(content), random)).encode()


def _place(value: Any, random: Random) -> tuple[Any, Any] | None:
    """A random member of a nested value, as its holder and its key."""
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list) and len(places) < 5000:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))[:20]
            places += [(holder, key) for key in keys]
            waiting += [holder[key] for key in keys]
    return random.choice(places) if places else None
