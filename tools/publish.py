"""Puts the embedded models on the Hugging Face Hub, each in a repository of its own under its name and licence.

    python -m tools.publish ORGANISATION              # what `make publish ORG=...` does
    python -m tools.publish ORGANISATION espcn-x2     # only these

It needs a token that may write there (`hf auth login`, or HF_TOKEN). A model that is there already, with this card,
gets no new version, so an interrupted run can be repeated.
"""

import argparse

import zoo
from zoo.errors import InputError
from zoo.export.card import carded_entries
from zoo.export.card_facts import card_name


def main() -> None:
    """Publish, and print the page of each version."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("organisation", help="a user or an organisation on the Hub")
    parser.add_argument("names", nargs="*", help="embedded models, as MODEL_CARDS/ calls them; by default all")
    parser.add_argument("--private", action="store_true", help="make the repositories private")
    arguments = parser.parse_args()
    entries = {card_name(entry): entry for entry in carded_entries()}
    for name in arguments.names or entries:
        if name not in entries:
            raise InputError(f"{name!r} is not embedded. Expected one of {', '.join(entries)}.")
        repo_id = f"{arguments.organisation}/{name}"
        print(zoo.publish(name, repo_id, license=entries[name].license, private=arguments.private).url, flush=True)


if __name__ == "__main__":
    main()
