"""The test server answers what else the client asks."""

from hashlib import sha256

from tests.hub_server.fetches import CONTENT, FILE, REPO
from tests.hub_server.server import HubServer


def test_the_server_answers_the_clients_other_questions(hub: HubServer, commit: str):
    hub.repository(REPO).tags["v1"] = commit
    done = hub.run(f"""
from huggingface_hub import HfApi
api = HfApi(token="hf_valid")
info = api.model_info({REPO!r}, files_metadata=True)
print(info.sha, [(file.rfilename, file.size, file.lfs and file.lfs.sha256) for file in info.siblings])
print([(entry.path, entry.size) for entry in api.list_repo_tree({REPO!r}, revision="v1")])
refs = api.list_repo_refs({REPO!r})
print([(ref.name, ref.target_commit) for ref in refs.branches + refs.tags], api.whoami()["name"])
""")
    lfs = sha256(CONTENT).hexdigest()
    assert done.stdout.splitlines() == [
        f"{commit} {[('config.json', 9, None), (FILE, len(CONTENT), lfs)]}",
        str([("config.json", 9), (FILE, len(CONTENT))]),
        f"{[('main', commit), ('v1', commit)]} tester",
    ]
