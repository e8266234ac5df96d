"""The list of what is in a bundle, as SPDX 2.3: for each model its licence, origin, version and hash.

https://spdx.github.io/spdx-spec/v2.3/
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

import zoo
from zoo.catalogue.entry import Entry

_NO_DATE = "1970-01-01T00:00:00Z"  # it is required, and the same content has to give the same file


def bill_of(entries: Mapping[str, Entry]) -> str:
    """The list as JSON.

    Args:
        entries: The models by their folder in the bundle, with the SHA-256 of their weights.
    """
    packages = [_package(folder, entry) for folder, entry in sorted(entries.items())]
    content = json.dumps(packages, sort_keys=True).encode()
    own = sorted({entry.license for entry in entries.values() if _identifier(entry.license).startswith("LicenseRef-")})
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "layerzoo-bundle",
        "documentNamespace": f"https://spdx.org/spdxdocs/layerzoo-bundle-{hashlib.sha256(content).hexdigest()}",
        "creationInfo": {"created": _NO_DATE, "creators": [f"Tool: layerzoo-{zoo.__version__}"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": each["SPDXID"]}
            for each in packages
        ],
        "hasExtractedLicensingInfos": [
            {
                "licenseId": _identifier(license),
                "name": license,
                "extractedText": f"The licence {license}; its text is at the origin of the model.",
            }
            for license in own
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _package(folder: str, entry: Entry) -> dict[str, Any]:
    return {
        "SPDXID": f"SPDXRef-{re.sub(r'[^A-Za-z0-9.-]', '-', folder)}",
        "name": entry.name,
        "versionInfo": entry.revision or f"layerzoo-{zoo.__version__}",
        "packageFileName": f"{folder}/{entry.filename}",
        "downloadLocation": _location(entry),
        "homepage": entry.paper,
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": entry.sha256}],
        "licenseDeclared": _identifier(entry.license),
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "FILE",
    }


def _location(entry: Entry) -> str:
    page = entry.where.page
    return f"{page}/resolve/{entry.revision or 'main'}/{entry.filename}" if page else "NOASSERTION"


def _identifier(license: str) -> str:
    """What SPDX calls a licence of the Hub; a reference where it knows none such."""
    try:
        return canonicalize_license_expression(license)
    except InvalidLicenseExpression:
        return f"LicenseRef-{re.sub(r'[^A-Za-z0-9.-]', '-', license)}"
