"""What a licence allows: whether commercial use, and under which one per model may be published.

That is one that the Hub knows, and that the licence of its base allows.
"""

import difflib
import re

from zoo.catalogue.entry import Base
from zoo.errors import PublishError

UNKNOWN = "unknown"  # the Hub's word, where nobody has stated a licence

# What the Hub lists at https://huggingface.co/docs/hub/repositories-licenses and fits weights or what they came with.
HUB_LICENSES = frozenset(
    """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigcode-openrail-m openrail++ afl-3.0
    artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl
    lgpl-2.1 lgpl-3.0 isc intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl osl-3.0 postgresql
    ofl-1.1 ncsa unlicense zlib pddl fair-noncommercial-research-license wtfpl unknown other
    """.split()  # noqa: SIM905 (a list of so many would be longer than the rest of the file)
)


def check_license(license: str | None, base: Base | None) -> None:
    """Refuse a licence that is none, that the Hub does not know, or that the base does not allow.

    Weights that were trained further are taken for a derived work of their base: a non-commercial licence stays
    non-commercial; share-alike, no-derivatives and GPL stay the very same. The base's own words decide in the end.

    Raises:
        PublishError: The licence cannot be taken.
    """
    if not isinstance(license, str) or not license.strip():
        raise PublishError(
            "There is no licence, and without one nobody may use the model. Expected license='apache-2.0' or another "
            "identifier of https://huggingface.co/docs/hub/repositories-licenses."
        )
    keeps_name = base is not None and license == base.license  # such as one that only its author uses
    if license not in HUB_LICENSES and not keeps_name:
        raise PublishError(
            f"The Hub has no licence {license!r}. Expected an identifier such as 'apache-2.0' or 'cc-by-4.0'. "
            f"{_hint(license)}"
        )
    if base is None or license == base.license:
        return
    if any(part in base.license.split("-") for part in ("sa", "nd", "gpl", "agpl", "lgpl")):
        raise PublishError(_refusal(base, license, f"license={base.license!r}: that licence passes on unchanged"))
    if is_non_commercial(base.license) and not is_non_commercial(license):
        raise PublishError(
            _refusal(base, license, f"a non-commercial licence, such as license={base.license!r}, or another base")
        )


# The Hub's identifiers that allow research only and do not say so in their name.
_RESEARCH_ONLY = {"apple-amlr", "deepfloyd-if-license"}


def is_non_commercial(license: str) -> bool:
    """Whether the licence forbids commercial use, as far as its name tells: nc, non-commercial, research.

    Example:
        >>> from zoo.catalogue.licensing import is_non_commercial
        >>> is_non_commercial("cc-by-nc-nd-4.0"), is_non_commercial("apache-2.0")
        (True, False)
    """
    words = re.findall(r"[a-z0-9.]+", license.lower())
    is_named = "nc" in words or "research" in words or "noncommercial" in "".join(words)
    return is_named or license.lower() in _RESEARCH_ONLY


def _hint(license: str) -> str:
    """The identifiers that are similar or begin alike, for the message about a wrong one."""
    wanted = re.sub(r"[\s_]+", "-", license.strip().lower())
    beginning = sorted(name for name in HUB_LICENSES if len(wanted) > 1 and name.startswith(wanted))
    near = difflib.get_close_matches(wanted, sorted(HUB_LICENSES), n=3)
    names = list(dict.fromkeys([*near[:1], *beginning, *near]))[:6]
    return f"Did you mean {' or '.join(map(repr, names))}?" if names else "Take 'other' for a licence not listed there."


def _refusal(base: Base, license: str, expected: str) -> str:
    return (
        f"The weights began as those of {base.name}, licence {base.license}, which {license!r} does not keep to. "
        f"Expected {expected}."
    )
