"""Every problem has a code, and every code an example that shows it."""

import ast
import re
from pathlib import Path

import pytest

from portal.declaration.load import load
from portal.declaration.problem_kinds import ProblemKind, code_of_sentence, cure_of, kind_of, kinds
from portal.declaration.source.problems import Problem

ROOT = Path(__file__).parents[3]
CHECKS = [*(ROOT / "portal/declaration").rglob("*.py"), *(ROOT / "portal/records/audit").glob("*.py")]
GUESSES = ("suggest", "did_you_mean", "_suggest_icon", "guess")
SHORTEST = 15  # fixed characters of a message with placeholders
# Found in packages, in the records, or in files of more than five hundred problems.
NOT_IN_FILES = {"P114", "P610", "P701", "P702", "P703", "P704"}
REFERENCE = set((ROOT / "docs/reference.md").read_text(encoding="utf-8").splitlines())
MODULES = """\
people: people
organizations: companies
modules:
  people:
    organization: company
    fields: {name: text, email: email, company: {type: link, to: companies}}
  companies: {fields: {name: text}}
  tickets:
    owner: caller
    comments: true
    fields:
      title: {type: text, required: true}
      caller: {type: link, to: people, default: me}
      state: {type: choice, options: [new, open, closed]}
      due: datetime
      notes: {type: longtext, internal: true}
    lifecycle: {field: state, transitions: {begin: {from: new, to: open}, close: {from: open, to: closed}}}
"""
CUSTOMER = "modules: {tickets: {}, people: {}, companies: {}}\n"
BUTTONS = "buttons: {open: {opens: tickets}}\n"


@pytest.mark.parametrize("code", sorted(kinds().keys() - NOT_IN_FILES))
def test_the_wrong_example_has_the_problem_and_the_right_one_has_not(code, tmp_path):
    kind = kinds()[code]
    assert code in codes(kind.wrong, tmp_path / "wrong")
    assert code not in codes(kind.right, tmp_path / "right")


@pytest.mark.parametrize("kind", kinds().values(), ids=kinds())
def test_a_kind_is_documented(kind: ProblemKind):
    assert re.fullmatch(r"P[1-7]\d\d", kind.code)
    assert all([kind.title, kind.says, kind.wrong, kind.right])
    assert all(re.fullmatch(r"\w.*[^.:]", cure) for cure in (kind.cure, *kind.cures.values()))
    assert f"| {kind.code} | {kind.title} |" in REFERENCE


def test_a_sentence_may_have_a_cure_of_its_own():
    own, other = (Problem("", 1, 1, (), f'no button "opn"{guess}') for guess in ("", ' (did you mean "open"?)'))
    assert [cure_of(own), cure_of(other)] == ["name a button of buttons.yaml, or declare it there", 'write "open"']


@pytest.mark.parametrize(
    ("statement", "cure"),
    [
        ("a field of this type cannot be unique", "remove the key"),
        ("a form has fields or steps, not both", "remove one of the two"),
        ("count belongs to a list: opens: MODULE", "remove the key"),
        (
            "nobody with this profile sees the records that they create: company is not filled in",
            "ask for it in the create form, give it a default, or set it in the profile",
        ),
    ],
)
def test_the_cure_is_one_for_this_very_mistake(statement, cure):
    assert cure_of(Problem("", 1, 1, (), statement)) == cure


def test_every_sentence_of_the_checks_belongs_to_a_kind():
    strange = {sentence for path in CHECKS for sentence in sentences(path) if not code_of_sentence(sentence)}
    assert strange == set()


def test_every_problem_of_the_broken_portals_belongs_to_a_kind():
    files = (ROOT / "tests/portals/broken").rglob("*.yaml")
    first_lines = (path.read_text(encoding="utf-8").partition("\n")[0] for path in files)
    expected = [line for line in first_lines if re.match(r"# (warning: )?\S+:\d+:\d+: ", line)]
    messages = [re.sub(r"^# (warning: )?\S+: \S+: |; also in .*", "", line) for line in expected]
    strange = [text for text in messages if not code_of_sentence(Problem("", 1, 1, (), text).statement)]
    assert (len(messages) > 250, strange) == (True, [])


def codes(example: str, folder: Path) -> set[str]:
    """The codes of a portal with an example's file, completed as needed."""
    named = re.match(r"# (\S+\.ya?ml)\n", example)
    file = named[1] if named else "modules.yaml"
    files = {"modules.yaml": MODULES, "profiles/customer.yaml": CUSTOMER, "buttons.yaml": BUTTONS}
    if file == "modules.yaml":
        files = {"profiles/customer.yaml": "staff: true\nmodules: {}\n"}
    elif file == "profiles/customer.yml":
        del files["profiles/customer.yaml"]
    (folder / "profiles").mkdir(parents=True)
    for name, text in {**files, file: example[named.end() :] if named else example}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {kind_of(problem).code for problem in load(folder).problems}


def sentences(path: Path) -> list[str]:
    """The messages of the calls of `wrong` and `warn` in a file, with x for variable parts."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    said = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.args
            and call.func.attr in ("wrong", "warn")]  # fmt: skip
    return [text for node in said if (text := sample(node))]


def sample(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence":
        node = node.args[0]
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    words = sum(len(part.value) for part in parts if isinstance(part, ast.Constant))
    whole = "".join(part.value if isinstance(part, ast.Constant) else sample_value(part) for part in parts)
    return whole if words > SHORTEST else ""


def sample_value(part: ast.FormattedValue) -> str:
    """Nothing for a suggestion, x for everything else."""
    named = part.value.func if isinstance(part.value, ast.Call) else part.value
    return "" if isinstance(named, ast.Name) and named.id in GUESSES else "x"
