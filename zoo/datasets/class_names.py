"""The classes of a model that the names in a data set mean: names, WordNet's synsets, or numbers.

    tench, Tinca tinca      the label; or one of the names in it: `tench`
    Tiger_Cat               the same in other letters, with `_` or `-` for a space
    n02123159               the synset, for a model with ImageNet's classes; `n02123159-tiger_cat`, too
    282, 0282               the place among the logits, from 0

All names of a data set are read in one of these ways, the first that fits all of them. A name that several classes have
(ImageNet has two called `crane`) means either of them, unless another name of the data set means one of them alone.
Imports neither Keras nor TensorFlow.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from zoo.errors import InputError
from zoo.printing import as_text, warn

SYNSET = re.compile(r"(n\d{8})(?![0-9A-Za-z])")

Meaning = tuple[int, ...]


def find_classes(names: Sequence[str], labels: Sequence[str], synsets: Sequence[str] | None) -> list[Meaning]:
    """The classes that each name means, by their numbers: mostly one.

    Args:
        names: What the data call their classes.
        labels: What the model calls its own.
        synsets: Their synsets, such as `"n02123159"`, where they have some.

    Raises:
        InputError: A name means no class, or two names mean the same.
    """
    ways = [_by_name(labels), _by_synset(synsets or ()), _by_number(len(labels))]
    read = [[way(name) for name in names] for way in ways]
    meanings = max(read, key=lambda found: sum(map(bool, found)))
    if strangers := [name for name, meaning in zip(names, meanings, strict=True) if not meaning]:
        named = ", ".join(map(repr, strangers[:3]))
        raise InputError(
            f"The data have {'the class' if len(strangers) == 1 else 'the classes'} {named}, "
            f"which the model does not know. Expected its {len(labels)} classes, by name, synset or number: "
            f"{'; '.join(labels[:3])}{'; ...' if len(labels) > 3 else '.'}"
        )
    meanings = _without_taken(meanings)
    _check_apart(names, meanings)
    for name, meaning in zip(names, meanings, strict=True):
        if len(meaning) > 1:
            warn(
                f"{as_text(name)!r} is the name of {len(meaning)} classes, {' and '.join(map(str, meaning))}: either "
                "counts as right. Synsets or numbers tell them apart."
            )
    return meanings


def _by_name(labels: Sequence[str]) -> Callable[[str], Meaning]:
    """Letter by letter; else in other letters; else by any of the names in a label."""
    exact, plain, any_of = defaultdict(list), defaultdict(list), defaultdict(list)
    for number, label in enumerate(labels):
        words = [word.strip() for word in label.split(",")]
        for name in dict.fromkeys((label, words[0])):
            exact[unicodedata.normalize("NFC", name)].append(number)
        for name in {_plain(label), _plain(words[0])}:
            plain[name].append(number)
        for name in {*map(_plain, words)}:
            any_of[name].append(number)

    def meaning(name: str) -> Meaning:
        in_letters = unicodedata.normalize("NFC", name)
        found = exact.get(in_letters) or plain.get(_plain(name)) or any_of.get(_plain(name)) or ()
        return tuple(found)

    return meaning


def _by_synset(synsets: Sequence[str]) -> Callable[[str], Meaning]:
    numbers: Mapping[str, int] = {synset: number for number, synset in enumerate(synsets)}

    def meaning(name: str) -> Meaning:
        found = SYNSET.match(name.lower())
        return (numbers[found.group(1)],) if found and found.group(1) in numbers else ()

    return meaning


def _by_number(count: int) -> Callable[[str], Meaning]:
    def meaning(name: str) -> Meaning:
        return (int(name),) if re.fullmatch("[0-9]{1,9}", name) and int(name) < count else ()

    return meaning


def _plain(name: str) -> str:
    """Without what people change in a name for a folder: case and form, spaces, punctuation."""
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", name).casefold()).split())


def _without_taken(meanings: list[Meaning]) -> list[Meaning]:
    """Where one name means a class alone, another that means several does not mean this one."""
    taken = {meaning[0] for meaning in meanings if len(meaning) == 1}
    return [
        tuple(number for number in meaning if number not in taken) or meaning if len(meaning) > 1 else meaning
        for meaning in meanings
    ]


def _check_apart(names: Sequence[str], meanings: list[Meaning]) -> None:
    counts = Counter(number for meaning in meanings for number in meaning)
    if twice := [number for number, count in counts.items() if count > 1]:
        same = [name for name, meaning in zip(names, meanings, strict=True) if twice[0] in meaning]
        raise InputError(
            f"The data have the classes {' and '.join(map(repr, same))}, which mean the same class of the model, "
            f"{twice[0]}. Expected one name for each: put the examples of both together."
        )
