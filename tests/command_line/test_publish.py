"""The commands: `zoo publish`, and the recipe that publishes the embedded models."""

import json

import pytest

import zoo
from tests.hub_server.publisher import versions


@pytest.mark.slow  # a process; tests/publishing has the function
def test_the_command_prints_the_page_and_an_error_is_one_sentence(hub, tmp_path):
    folder, repo_id = zoo.save(zoo.load("espcn-x2"), tmp_path / "mine"), "tester/mine"
    words = ["publish", str(folder), repo_id]
    options = ["--license", "mit", "--metric", "psnr_db=31.5", "-m", "First", "--json"]
    code = f"""
from zoo.command_line.main import main
main({[*words, *options]}, standalone_mode=False)
main({words})
"""
    done = hub.run(code, keras=True, HF_TOKEN="hf_valid")
    assert json.loads(done.stdout)["version"] == "v1"
    assert json.loads(versions(hub, repo_id)["v1"]["zoo.json"])["metrics"] == {"psnr_db": 31.5}
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: There is no licence")


@pytest.mark.slow  # two models; tests/publishing has one of each kind
def test_the_embedded_models_are_published_with_their_own_cards(hub):
    code = """
import sys
sys.argv[1:] = ["zoo-org", "espcn-x2", "tcn-co2"]
from tools.publish import main
main()
main()  # both are there
"""
    hub.users["hf_org"] = "zoo-org"
    done = hub.run(code, keras=True, HF_TOKEN="hf_org")
    pages = [f"{hub.endpoint}/zoo-org/{name}/tree/v1" for name in ("espcn-x2", "tcn-co2")]
    assert done.stdout.splitlines() == 2 * pages, done.stderr
    for name in ("espcn-x2", "tcn-co2"):
        files = versions(hub, f"zoo-org/{name}")["v1"]
        card, entry = files["README.md"].decode(), json.loads(files["zoo.json"])
        assert "license: apache-2.0" in card
        assert f'zoo.predict("hf://zoo-org/{name}"' in card
        assert entry["metrics"] == zoo.info(name).metrics
        assert entry["base"] is None
        assert f"{name}.png" in files
