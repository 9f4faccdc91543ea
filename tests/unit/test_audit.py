"""How `make audit` interprets the output of pip-audit."""

import pytest

from scripts.audit import tell

GOOD = {"name": "good", "version": "1.0", "vulns": []}
VULNERABILITIES = [{"id": "PYSEC-1", "fix_versions": ["2.1"]}, {"id": "X", "fix_versions": []}]
BAD = {"name": "bad", "version": "2.0", "vulns": VULNERABILITIES}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("dependencies", "status", "sentence"),
    [
        ([GOOD, UNKNOWN], 0, "1 packages audited, 0 vulnerabilities known"),
        ([GOOD, UNKNOWN], 0, "Not audited, as they are unknown there: ours"),
        ([GOOD, BAD], 1, "bad 2.0: PYSEC-1, fixed by 2.1"),
        ([GOOD, BAD], 1, "bad 2.0: X, fixed by nothing yet"),
        ([UNKNOWN], 0, "Audit skipped: the index that pip uses knows no vulnerabilities"),
    ],
)
def test_what_is_known_against_a_package_fails_and_what_cannot_be_asked_is_said(dependencies, status, sentence, capsys):
    assert tell(dependencies) == status
    assert sentence in capsys.readouterr().out.splitlines()
