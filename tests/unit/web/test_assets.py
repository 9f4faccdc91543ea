"""The style sheet, the script, the sprite and the logo of a portal, as a browser gets them."""

import gzip
import re

import pytest

from portal.colors import contrast, tokens
from portal.declaration.checks.appearance import known_icons
from portal.web import icons
from portal.web.assets import STATIC, Assets


def test_the_address_changes_with_the_content_and_only_with_it():
    assert Assets(accent="#aa0000").url("portal.css") != Assets().url("portal.css")
    assert Assets(accent="#aa0000").url("portal.js") == Assets().url("portal.js")


def test_an_address_leads_to_what_it_names():
    assets = Assets()
    found = assets.get(assets.url("portal.css").removeprefix("/static/"))
    assert found.content_type.startswith("text/css")
    assert gzip.decompress(found.gzipped) == found.body


def test_a_page_drawn_before_a_reload_still_finds_its_style_sheet():
    assert Assets().get("0000000000000000/portal.css") is not None


@pytest.mark.parametrize("path", ["", "x", "../portal.ini", "hash/../../secret", "hash/tokens.css"])
def test_nothing_else_can_be_asked_for(path):
    assert Assets().get(path) is None


def test_an_unknown_icon_is_a_square():
    assert Assets(["no-such-icon"]).icon("no-such-icon").endswith('#square"></use></svg>')


def test_a_declared_icon_is_in_the_sprite():
    assets = Assets(["piggy-bank"])
    assert b'id="piggy-bank"' in assets.get("hash/icons.svg").body
    assert 'icons.svg#piggy-bank"' in assets.icon("piggy-bank")


def test_every_icon_of_the_interface_exists():
    assert icons.INTERFACE - known_icons() == set()


def test_a_portal_without_a_logo_has_a_mark(tmp_path):
    assert Assets().logo.endswith("/mark.svg")
    assert Assets(logo=tmp_path / "missing.svg").logo.endswith("/mark.svg")
    (tmp_path / "ours.png").write_bytes(b"picture")
    assert Assets(logo=tmp_path / "ours.png").get("hash/logo.png").body == b"picture"


def test_the_script_is_one_module_without_imports():
    script = Assets().get("hash/portal.js").body.decode()
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


def test_texts_in_scripts_are_sent_with_all_their_spaces():
    script = Assets().get("hash/portal.js").body.decode()
    for path in STATIC.glob("js/*.js"):
        code = re.sub(r"^\s*(//|/\*\*| \*).*$|[ \t]// .*$", "", path.read_text(), flags=re.MULTILINE)
        assert [text for text in re.findall(r'"[^"\n]*"', code) if " " in text and text not in script] == []


@pytest.mark.parametrize("accent", ["#2457d6", "#f7d038", "#000000", "#ffffff", "#12805c", "#ff00ff", "#7f7f7f"])
def test_text_can_be_read_whatever_the_accent(accent):
    colors = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+):light-dark\((#\w+),(#\w+)\)", tokens(accent))
    }
    on_accent = re.search(r"--on-accent:(#\w+)", tokens(accent))[1]
    assert contrast(rgb(on_accent), rgb(accent)) >= 4.5
    assert contrast(rgb(colors["accent-ink"][0]), (255, 255, 255)) >= 4.5
    assert contrast(rgb(colors["accent-ink"][1]), (24, 28, 35)) >= 4.5


def test_styles_name_sides_by_the_line_of_reading():
    physical = re.compile(r"(?<![\w-])((margin|padding|border)-(left|right)|(left|right)\s*:|float\s*:\s*(left|right))")
    assert [path.name for path in (STATIC / "css").glob("*.css") if physical.search(path.read_text("utf-8"))] == []


def test_colors_are_tokens_or_have_a_dark_counterpart():
    color = re.compile(r"#[0-9a-f]{3,8}\b|(?<![\w-])(?:black|blue|gray|green|orange|red|white|yellow)(?![\w-])")
    for path in (STATIC / "css").glob("*.css"):
        styles = re.sub(r"/\*.*?\*/|light-dark\([^)]*\)", "", path.read_text("utf-8"), flags=re.DOTALL)
        if path.name not in ("tokens.css", "read-only.css"):  # whose bar looks the same by day and by night
            values = re.findall(r":\s([^;{}]+);", styles)
            found = {name for value in values for name in color.findall(value)}
            assert found <= {"#fff"}, f"{path.name}: use a variable of tokens.css, or light-dark()"


def rgb(color: str) -> tuple[int, int, int]:
    return tuple(bytes.fromhex(color[1:]))
