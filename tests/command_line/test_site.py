"""`zoo site`: the page to open on stdout, one sentence when something is wrong, and no TensorFlow."""

import builtins
import subprocess
import sys

import pytest
from click.testing import CliRunner

import zoo
from zoo.command_line.main import main


def run(*arguments):
    return CliRunner().invoke(main, ["site", *map(str, arguments)])


@pytest.mark.slow  # a whole site; tests/site has one, and test_public.py the imports
def test_prints_the_page_to_open_and_imports_no_tensorflow(tmp_path):
    code = (
        "import sys; from zoo.command_line.main import main; main(['site', '-o', 'site'], standalone_mode=False); "
        "print(sorted(sys.modules.keys() & {'tensorflow', 'keras', 'torch', 'jax'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str((tmp_path / "site" / "index.html").relative_to(tmp_path)), "[]"]
    assert done.stderr == f"{len(zoo.list_models())} models\n"
    assert (tmp_path / "site" / "index.html").is_file()


def test_what_is_wrong_is_one_error(tmp_path):
    (tmp_path / "taken").write_text("mine")
    result = run("-o", tmp_path / "taken")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: {tmp_path / 'taken'} is a file. Expected a folder, or a name that is free.\n"
    result = run("-o", tmp_path)
    assert result.exit_code == 1
    assert "contains taken and no site of this library" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    real_import = builtins.__import__

    def without_jinja(name, *arguments, **options):
        if name == "jinja2":
            raise ModuleNotFoundError("No module named 'jinja2'", name="jinja2")
        return real_import(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "zoo.site.pages", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_jinja)
    result = run("-o", tmp_path / "site")
    assert result.exit_code == 1
    assert "need jinja2, which is not installed. Expected: pip install 'layerzoo[site]'" in result.stderr
    assert not (tmp_path / "site").exists()
