"""Lists what is installed (an SBOM in CycloneDX's format), and what is known against it. Called by `make audit`.

Runs with the tools' own Python; the argument is the folder of the virtual environment that is audited. Exits 1 where a
vulnerability is known. Without a network the list is written all the same, and the audit is skipped with the reason.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOLS = Path(sys.executable).parent


def main(audited: Path, target: Path) -> int:
    """Writes the list to `target`, prints what is known; returns the status of the process."""
    target.parent.mkdir(exist_ok=True)
    listing = [TOOLS / "cyclonedx-py", "environment", audited / "bin" / "python", "--output-file", target]
    subprocess.run(listing, check=True)  # noqa: S603 our own arguments
    print(f"Wrote {target}")  # noqa: T201 a script
    packages = next((audited / "lib").glob("python3*/site-packages"))
    audit = [TOOLS / "pip-audit", "--format", "json", "--progress-spinner", "off", "--path", packages]
    done = subprocess.run(audit, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or ["no answer"]
        print(f"Audit skipped: {lines[-1]}")  # noqa: T201 a script
        return 0
    return tell(dependencies)


def tell(dependencies: list[dict[str, Any]]) -> int:
    """Prints what is known against packages, as pip-audit answers it; the status of the process."""
    unknown = [str(found["name"]) for found in dependencies if "skip_reason" in found]
    if len(unknown) == len(dependencies):
        print("Audit skipped: the index that pip uses knows no vulnerabilities")  # noqa: T201 a script
        return 0
    known = [(found["name"], found["version"], problem) for found in dependencies for problem in found.get("vulns", [])]
    for name, version, problem in known:
        fixed = ", ".join(problem["fix_versions"]) or "nothing yet"
        print(f"{name} {version}: {problem['id']}, fixed by {fixed}")  # noqa: T201 a script
    audited = len(dependencies) - len(unknown)
    print(f"{audited} packages audited, {len(known)} vulnerabilities known")  # noqa: T201 a script
    if unknown:
        print(f"Not audited, as they are unknown there: {', '.join(unknown)}")  # noqa: T201 a script
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
