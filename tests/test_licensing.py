"""Which licences may be published under, and which the base does not allow."""

import pytest

from zoo.errors import PublishError
from zoo.licensing import check_license
from zoo.registry import Base


def base(license):
    return Base(name="base.tag", source="hf://owner/base", revision=None, license=license)


@pytest.mark.parametrize(
    ("license", "base_license"),
    [
        ("apache-2.0", None),
        ("mit", "apache-2.0"),
        ("cc-by-nc-4.0", "mit"),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0"),
        ("cc-by-nc-sa-3.0", "cc-by-nc-sa-3.0"),
        ("fair-noncommercial-research-license", "cc-by-nc-4.0"),
        ("dinov3-license", "dinov3-license"),  # which the Hub does not list
        ("other", "other"),
    ],
)
def test_a_licence_that_keeps_to_that_of_the_base_is_taken(license, base_license):
    check_license(license, base_license and base(base_license))


@pytest.mark.parametrize("license", ["", None])
def test_without_a_licence_nothing_is_published(license):
    with pytest.raises(PublishError, match=r"There is no licence.*Expected license='apache-2\.0' or another"):
        check_license(license, None)


@pytest.mark.parametrize(
    ("license", "hint"), [("Apache-2", "Did you mean 'apache-2.0'"), ("qqq", "Take 'other' for a licence")]
)
def test_a_licence_that_the_hub_does_not_know_is_refused_with_the_nearest(license, hint):
    with pytest.raises(PublishError, match=rf"The Hub knows no licence '{license}'.*{hint}"):
        check_license(license, None)


@pytest.mark.parametrize(
    ("license", "base_license", "expected"),
    [
        ("apache-2.0", "cc-by-nc-4.0", "a non-commercial licence"),
        ("mit", "fair-noncommercial-research-license", "a non-commercial licence"),
        ("cc-by-nc-4.0", "cc-by-nc-sa-3.0", "license='cc-by-nc-sa-3.0'"),
        ("apache-2.0", "gpl-3.0", "license='gpl-3.0'"),
    ],
)
def test_a_licence_that_the_base_does_not_allow_is_refused(license, base_license, expected):
    with pytest.raises(
        PublishError, match=rf"began as those of base\.tag, licence {base_license}.*Expected {expected}"
    ):
        check_license(license, base(base_license))
