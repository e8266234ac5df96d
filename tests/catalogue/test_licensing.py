"""Which licences may be published under, and which the base does not allow."""

import logging
import re

import pytest

from zoo.catalogue import notices
from zoo.catalogue.entry import Base
from zoo.catalogue.licensing import HUB_LICENSES, check_license, is_non_commercial
from zoo.catalogue.registry import registry
from zoo.errors import PublishError


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
    with pytest.raises(PublishError, match=rf"The Hub has no licence '{license}'.*{hint}"):
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


NON_COMMERCIAL = set(
    """
    apple-amlr bsds-div2k-research-only bsds-div2k-t91-research-only camvid-research-only
    cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
    cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 fair-noncommercial-research-license intel-research
    """.split()  # noqa: SIM905
)


def test_of_all_licences_of_the_registry_and_the_hub_these_forbid_commercial_use():
    every = HUB_LICENSES | {entry.license for entry in registry().entries.values()}
    assert {license for license in every if is_non_commercial(license)} == NON_COMMERCIAL


@pytest.mark.parametrize("license", ["CC BY-NC 4.0", "PolyForm Noncommercial 1.0.0", "Non-Commercial", "cc_by_nc_sa"])
def test_other_spellings_forbid_it_too(license):
    assert is_non_commercial(license)


@pytest.mark.parametrize("license", ["ncsa", "other", "unknown", "c-uda", "dinov3-license", "etalab-2.0"])
def test_what_only_looks_like_it_does_not(license):
    assert not is_non_commercial(license)


@pytest.mark.parametrize("license", sorted(NON_COMMERCIAL))
@pytest.mark.parametrize("source", ["hf://owner/repo", "embedded", None])
def test_loading_one_of_them_says_so(license, source, caplog):
    update = {"license": license, "source": source, "name": f"{license} of {source}"}
    with caplog.at_level(logging.WARNING, "zoo"):
        notices.say(registry().find("espcn-x2").model_copy(update=update))
    assert f"is for non-commercial use only ({license})" in caplog.text


def test_weights_that_began_under_one_of_them_say_so(caplog):
    update = {"license": "unknown", "source": None, "name": "mine", "base": base("cc-by-nc-nd-3.0")}
    with caplog.at_level(logging.WARNING, "zoo"):
        notices.say(registry().find("espcn-x2").model_copy(update=update))
    assert "mine is for non-commercial use only (cc-by-nc-nd-3.0)" in caplog.text


@pytest.mark.parametrize(
    ("name", "how"), [("espcn-x2", "by zoo.finetune or model.fit"), ("yolox_nano", "by zoo.finetune\\.")]
)
def test_of_untrained_layers_it_says_what_trains_them(name, how, caplog):
    with caplog.at_level(logging.WARNING, "zoo"):
        notices.say(registry().find(name), ["conv"])
    assert re.search(f"nobody has trained: conv.* {how}", caplog.text)


@pytest.mark.parametrize(
    ("license", "nearest"),
    [
        ("apache", "'apache-2.0'"),
        ("MIT", "'mit'"),
        ("gpl3", "'gpl-3.0'"),
        ("cc-by", "'cc-by-4.0'"),
        ("cc_by 4", "cc-by-4.0"),
    ],
)
def test_a_licence_that_is_nearly_one_is_answered_with_the_choices(license, nearest):
    with pytest.raises(PublishError, match=f"Did you mean .*{nearest}"):
        check_license(license, None)
