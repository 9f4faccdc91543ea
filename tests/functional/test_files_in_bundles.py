"""`portal export --files` and `portal import --files`: attachments and the files of fields next to the CSV file."""

import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.functional.shop import Shop, make_shop, table
from tests.functional.test_files import PDF, picture

MODULES = """
modules:
  assets:
    see: all
    fields:
      name: {type: text, required: true, unique: true}
      photo: image
      manual: {type: file, max_size: 1 kB, types: application/pdf}
      plans: {type: files, max_count: 2, types: image/*}
    attachments: true
"""
PROFILE = "modules: {assets: {}}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'shop.sqlite'}", MODULES, PROFILE)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files as an old system delivers them."""
    folder = tmp_path / "old"
    for path, content in {
        "photo.png": picture(), "manual.pdf": PDF, "7/notes.txt": b"Notes", "7/plan.png": picture(),
        "internal/7/costs; 2026.txt": b"Costs",
        "large.pdf": PDF + b"x" * 1_000, "broken.png": picture()[:40],
    }.items():  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (tmp_path / "outside.pdf").write_bytes(PDF)
    return folder


ROW = (
    "name,photo,manual,plans,attachments\n"
    'Press,photo.png,manual.pdf,photo.png; 7/plan.png,"7/notes.txt; ""internal/7/costs; 2026.txt"""\n'
)


# What export and import carry of a file, apart from its bytes; tests/unit/test_columns.py asks for new columns.
CARRIED = ("module", "record", "field", "name", "size", "media_type", "internal")


def stored(shop: Shop) -> list[tuple[object, ...]]:
    """The rows of files: name, field, whose, whether internal, bytes."""
    names = sa.select(*[shop.tables.file.c[name] for name in ("name", "field", "record", "internal", "stored")])
    with shop.engine.connect() as connection:
        rows = connection.execute(names.order_by(shop.tables.file.c["name"], shop.tables.file.c["id"])).all()
    folder = shop.folder / "var" / "files"
    return [(*row[:4], (folder / row.stored).read_bytes()) for row in rows]


def carried(shop: Shop) -> list[sa.Row]:
    file = shop.tables.file.c
    with shop.engine.connect() as connection:
        return list(connection.execute(sa.select(*[file[name] for name in CARRIED]).order_by(file["name"], file["id"])))


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_files_make_the_round_trip(shop, files, tmp_path, ending):
    shop.loaded("assets", ROW, "--files", str(files))
    expected = [
        ("costs; 2026.txt", None, 1, True, b"Costs"),
        ("manual.pdf", "manual", 1, False, PDF),
        ("notes.txt", None, 1, False, b"Notes"),
        ("photo.png", "photo", 1, False, picture()),
        ("photo.png", "plans", 1, False, picture()),
        ("plan.png", "plans", 1, False, picture()),
    ]
    assert stored(shop) == expected
    assert shop.values("assets", "attachments") == [1]  # what customers see
    target, bundle = tmp_path / "assets.csv", tmp_path / f"bundle{ending}"
    result = shop.run("export", "assets", target, "--files", bundle)
    assert "1 record and 6 files written" in result.stderr
    other = make_shop(tmp_path / "other", f"sqlite:///{tmp_path / 'other.sqlite'}", MODULES, PROFILE)
    assert other.run("import", "assets", target, "--files", bundle).exit_code == 0
    assert stored(other) == expected
    assert carried(other) == carried(shop)
    again = other.run("import", "assets", target, "--key", "name", "--files", bundle)
    assert "0 new, 0 changed, 1 unchanged" in again.output
    assert stored(other) == expected


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_an_export_without_files_makes_the_round_trip_too(shop, tmp_path, ending):
    shop.loaded("assets", "name\nPress\n")
    target, bundle = tmp_path / "assets.csv", tmp_path / f"bundle{ending}"
    assert "1 record and 0 files written" in shop.run("export", "assets", target, "--files", bundle).stderr
    again = shop.run("import", "assets", target, "--key", "name", "--files", bundle)
    assert "0 new, 0 changed, 1 unchanged" in again.output


def test_files_are_replaced_and_removed_by_a_key(shop, files):
    shop.loaded("assets", ROW, "--files", str(files))
    (files / "new.pdf").write_bytes(PDF + b"%")
    shop.loaded("assets", "name,photo,manual\nPress,,new.pdf\n", "--key", "name", "--files", str(files))
    shop.loaded("assets", "name,plans\nPress,7/plan.png\n", "--key", "name", "--files", str(files))
    assert [row[:2] for row in stored(shop) if row[1]] == [("new.pdf", "manual"), ("plan.png", "plans")]
    assert shop.values("assets", "photo") == [None]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("nowhere.png,", "There is no file “nowhere.png” next to the CSV file."),
        (",../outside.pdf", "There is no file “../outside.pdf” next to the CSV file."),
        (",large.pdf", "bytes, and the limit is 1,000 bytes"),
        (",photo.png", "its type is not among those that are accepted (PDF)"),
        ("broken.png,", "this picture cannot be read"),
        ("broken.png; photo.png", "this picture cannot be read"),
    ],
)
def test_a_file_that_cannot_be_taken_is_a_bad_row(shop, files, cells, reason):
    header = "name,plans" if ";" in cells else "name,photo,manual"
    (bad,) = shop.bad("assets", f"{header}\nPress,{cells}\n", "--files", str(files))
    assert reason in bad
    assert stored(shop) == []


def test_without_files_a_name_stays_and_no_other_is_taken(shop, files):
    shop.loaded("assets", ROW, "--files", str(files))
    header, row = table(shop.run("export", "assets").stdout_bytes)
    assert dict(zip(header, row, strict=True))["photo"] == "photo.png"
    assert "attachments" not in header
    shop.loaded("assets", "name,photo\nPress,photo.png\n", "--key", "name")
    shop.loaded("assets", 'name,plans\nPress,"photo.png,plan.png"\n', "--key", "name")
    assert len(stored(shop)) == 6
    (bad,) = shop.bad("assets", "name,photo\nPress,other.png\n", "--key", "name")
    assert "Use --files to say where the files are." in bad


def test_a_file_that_is_not_an_archive_is_reported(shop, files):
    (files / "no.zip").write_bytes(b"no archive")
    result = shop.load("assets", ROW, "--files", str(files / "no.zip"))
    assert result.exit_code == 1
    assert "is not a zip archive" in result.output


def test_an_archive_that_leads_elsewhere_leads_nowhere(shop, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../manual.pdf", PDF)
    shop.loaded("assets", "name,manual\nPress,../manual.pdf\n", "--files", str(tmp_path / "evil.zip"))
    assert [path for path in tmp_path.rglob("manual.pdf")] == []


@pytest.mark.parametrize(("local", "central", "value"), [(6, 8, 1), (8, 10, 99)], ids=["locked", "unknown way"])
def test_an_archive_that_python_cannot_read_is_reported(shop, tmp_path, local, central, value):
    """The places of the flags, and of the way of compression, in the two headers of a file."""
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("manual.pdf", PDF)
    content = bytearray(bundle.read_bytes())
    content[local] = content[content.index(b"PK\x01\x02") + central] = value
    bundle.write_bytes(content)
    result = shop.load("assets", "name,manual\nPress,manual.pdf\n", "--files", str(bundle))
    assert result.exit_code == 1
    assert "manual.pdf cannot be read from the zip archive" in result.output


def test_a_circle_of_links_is_no_file(shop, files):
    (files / "circle.pdf").symlink_to(files / "circle.pdf")
    assert shop.bad("assets", "name,manual\nPress,circle.pdf\n", "--files", str(files)) == [
        "2: manual: There is no file “circle.pdf” next to the CSV file."
    ]


def test_an_export_that_fails_leaves_the_file_that_was_there(shop, files, tmp_path):
    shop.loaded("assets", ROW, "--files", str(files))
    target = tmp_path / "assets.csv"
    target.write_text("as it was")
    result = shop.run("export", "assets", target, "--files", tmp_path / "outside.pdf")
    assert (result.exit_code, target.read_text()) == (1, "as it was")
    assert not list(tmp_path.glob("*.partial"))
    assert shop.run("export", "assets", target, "--files", tmp_path / "bundle").exit_code == 0
    assert table(target.read_bytes())[1][0] == "1"
    assert shop.run("export", "assets", tmp_path).exit_code == 2


def test_an_export_to_a_link_writes_its_target(shop, tmp_path):
    """/dev/stdout is also a link, which must not become a file."""
    link, target = tmp_path / "latest.csv", tmp_path / "assets.csv"
    target.write_text("as it was")
    link.symlink_to(target)
    assert shop.run("export", "assets", link).exit_code == 0
    assert link.is_symlink()
    assert target.read_text() != "as it was"
