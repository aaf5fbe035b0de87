"""The house rules that no other tool checks: catalogues complete, docs true, nothing foreign in the tree."""

import ast
import re
import string
import subprocess
from pathlib import Path

import pytest

import locales
from domain.refusals import Refusal
from handlers import features  # noqa: F401 - loads every feature, and with them every refusal

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "handlers", "console", "scheduler", "services", "storage", "domain", "webchat", "locales")
MODULES = sorted(
    path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "versions" not in path.parts
)
TRACKED = subprocess.run(
    ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.split("\0")


def texts(language):
    return locales._texts(language)


def fields(forms):
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def test_both_languages_say_the_same_things():
    assert set(texts("zh_CN")) == set(texts("en"))


def test_both_languages_use_the_same_fields():
    for key, forms in texts("zh_CN").items():
        assert fields(forms) == fields(texts("en")[key]), key


def test_nothing_is_left_unsaid():
    for language in locales.LANGUAGES:
        for key, forms in texts(language).items():
            assert all(form.strip() for form in forms), f"{language}: {key}"


def test_chinese_is_written_with_chinese_punctuation():
    for key, forms in texts("zh_CN").items():
        for form in forms:
            assert not re.search(r"[\u4e00-\u9fff][,;:!?](?![/\w])", form), f"{key}: {form}"


def spoken(path):
    """Find the literal keys given to words(...) and words.plural(...)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = (
            node.func.value
            if isinstance(node.func, ast.Attribute) and node.func.attr == "plural"
            else node.func
        )
        if isinstance(called, ast.Name) and called.id in ("words", "other"):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_every_key_that_is_spoken_stands_in_the_catalogues():
    known = set(texts("zh_CN"))
    missing = {
        f"{path.relative_to(ROOT)}: {key}" for path in MODULES for key in spoken(path) if key not in known
    }
    assert not missing


def test_every_key_that_a_page_of_the_console_speaks_stands_in_the_catalogues():
    known = set(texts("zh_CN"))
    pages = sorted((ROOT / "console/pages").glob("*.html"))
    spoken = {key for page in pages for key in re.findall(r'say\("([\w.]+)"[,)]', page.read_text())}
    assert len(spoken) > 40
    assert spoken <= known


def refusals(kind=Refusal):
    for each in kind.__subclasses__():
        if each.__module__.split(".")[0] in ROOMS:
            yield each
        yield from refusals(each)


def test_every_refusal_that_a_chat_can_meet_has_words():
    unsaid = {
        each.__name__
        for each in refusals()
        if each().key not in texts("en") and not each.__module__.endswith("demo_data")
    }
    assert not unsaid


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_opens_with_a_sentence_that_says_what_it_owns(path):
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said, "no docstring"
    assert said.splitlines()[0].endswith((".", "?")), said.splitlines()[0]


def test_readme_opens_with_the_two_commands():
    for name in ("README.md", "README.zh-CN.md"):
        opening = (ROOT / name).read_text()[:1500]
        assert "make run" in opening, name
        assert "make test" in opening, name


def test_every_link_inside_the_docs_leads_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_make_target_named_in_the_docs_exists():
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"`make ([a-z]+)", page.read_text()):
            assert target in known, f"{page.name}: make {target}"


def test_nothing_in_the_tree_names_a_machine_or_a_registry():
    foreign = re.compile(
        "/wor" + r"k/|/roo" + r"t/|pypi\.or" + r"g|pythonhoste" + r"d|deb\.debian\.or" + "g|index-ur" + "l"
    )
    for name in filter(None, TRACKED):
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".html", ".js", ".css", ".po", ""}
            and path.is_file()
        ):
            assert not foreign.search(path.read_text(errors="replace")), name
