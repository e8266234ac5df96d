"""Workflows, citation and release: what they name exists, and what they run is what they say."""

import re
from pathlib import Path

import yaml

import zoo

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_actions_are_pinned_by_commit():
    actions = [line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))]
    assert len(actions) > 5
    for action in actions:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_only_the_publishing_job_has_an_identity_and_none_has_a_secret():
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        assert "secrets." not in text
        jobs = yaml.safe_load(text)["jobs"]
        with_identity = [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})]
        assert with_identity == {"release.yml": ["publish"], "docs.yml": ["deploy"]}.get(path.name, []), path.name


def test_commands_of_workflows_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for command in (step["run"] for step in job["steps"] if "run" in step):
                program, *words = command.split()
                assert program in ("make", "test") or (ROOT / program).exists(), command
                assert program != "make" or re.search(rf"^{words[0]}:", makefile, re.MULTILINE), command


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == zoo.__version__
    assert citation["license"] == "Apache-2.0"
