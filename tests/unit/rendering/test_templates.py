"""The templates: what they may contain, what every page gets, and its language."""

import re
from html.parser import HTMLParser

import pytest

from portal.fields.reader import Reader
from portal.rendering.templates import TEMPLATES, Templates
from portal.texts import Text, _
from portal.views.account.session import LoginPage
from portal.views.errors import ErrorPage
from portal.views.forms.form_page import FormPage, FormRow, Widget
from portal.views.lists.list_page import ListPage, Pager
from portal.views.lists.search_box import SearchBox
from portal.web.assets import Assets
from portal.web.frame import Frame, MenuItem

ASSETS = Assets()
PAGES = Templates()


def frame(**facts):
    defaults = {"name": Text({"en": "Our portal", "it": "Il portale"}), "static": ASSETS.url, "icon": ASSETS.icon}
    return Frame(**{**defaults, "logo": ASSETS.logo, "csrf_token": "secret-token", **facts})


def signed_in(**facts):
    return frame(person="Maria", menu=(MenuItem("Home", "house", "/"),), **facts)


def drawn(name, page, frame, language="en"):
    return PAGES.render(name, {"page": page, "request": None}, Reader(language=language), frame)


def test_declared_texts_are_shown_in_the_reader_s_language():
    assert "Il portale" in drawn("login.pt", LoginPage(), frame(language="it"), "it")


def test_no_template_sets_a_name_for_all_others_which_the_names_of_macros_do_not_know():
    assert not [path.name for path in TEMPLATES.glob("*.pt") if re.search(r'="[^"]*\bglobal\b', path.read_text())]


def test_a_sentence_has_its_names_filled_in():
    page = ErrorPage(404, _("Not found"), _("There is no “${name}”.", mapping={"name": "<b>"}))
    assert "There is no “&lt;b&gt;”." in drawn("error.pt", page, frame())


def test_what_people_typed_is_escaped():
    search = SearchBox('"><script>', "/x/complete", (), ())
    page = ListPage("<script>x</script>", "/x/", (), (), Pager(""), search)
    html = drawn("list.pt", page, signed_in())
    assert "<script>" not in html
    assert 'value="&#34;&gt;&lt;script&gt;"' in html or 'value="&quot;&gt;&lt;script&gt;"' in html


def test_a_posting_form_bears_the_token():
    form = FormPage("New", "/x/create", (FormRow((Widget("title", "Title"),)),), "Save")
    html = drawn("form.pt", form, signed_in())
    posting = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    assert len(posting) >= 2
    assert all('name="_csrf" value="secret-token"' in each for each in posting)


# Also answered without a sign-in, with only the signature of the address.
BY_SIGNATURE = {"notice.pt"}


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.pt")), ids=lambda path: path.name)
def test_every_template_puts_the_token_into_each_form_that_posts(path):
    posting = re.findall(r'<form\b[^>]*method="post".*?</form>', path.read_text("utf-8"), re.DOTALL)
    assert [form[:80] for form in posting if "${token}" not in form and path.name not in BY_SIGNATURE] == []


def test_an_error_is_told_at_its_field():
    widget = Widget("title", "Title", error="Say something.", help="In a few words.")
    html = drawn("form.pt", FormPage("New", "/x/create", (FormRow((widget,)),), "Save"), signed_in())
    assert 'aria-describedby="field-title-help field-title-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="field-title-error"' in html


# Letters are read in mail programs, which do not support style sheets.
FOR_BROWSERS = sorted(path for path in TEMPLATES.glob("*.pt") if not path.name.startswith("letter"))


@pytest.mark.parametrize("path", FOR_BROWSERS, ids=lambda path: path.name)
def test_templates_obey_the_content_security_policy(path):
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style", text)
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", text))


class WordsNotTranslated(HTMLParser):
    """Visible words in a template that no catalog translates, each with its line."""

    EMPTY = ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr")
    READ = ("title", "alt", "aria-label", "placeholder")

    def __init__(self, text):
        super().__init__()
        self.translated = [False]  # for each open element
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        translated = [name.split()[0] for name in attributes.get("i18n:attributes", "").split(";") if name.strip()]
        for name in set(attributes) & set(self.READ) - set(translated):
            self.note(attributes[name])
        if tag not in self.EMPTY:
            self.translated.append("i18n:translate" in attributes or tag in ("kbd", "code", "script", "style"))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            self.translated.pop()

    def handle_data(self, data):
        if not self.translated[-1]:
            self.note(data)

    def note(self, text):
        """Letters outside `${…}` count; an example of a color or a distance is the same in all languages."""
        if re.search(r"[^\W\d_]", re.sub(r"\$\{[^}]*\}|#[0-9a-f]{6}|\d km", "", text)):
            self.found.append(f"line {self.getpos()[0]}: {text.strip()}")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.pt")), ids=lambda path: path.name)
def test_every_word_of_a_template_is_translated(path):
    assert WordsNotTranslated(path.read_text("utf-8")).found == [], "i18n:translate or i18n:attributes is missing"


def test_words_that_are_not_translated_are_found():
    found = WordsNotTranslated('<p>Hello</p><b>${a} files</b><p i18n:translate="">Yes</p><img alt="Logo">').found
    assert found == ["line 1: Hello", "line 1: ${a} files", "line 1: Logo"]
    assert WordsNotTranslated('<b title="x" i18n:attributes="title">${a}</b>').found == []


def test_markup_goes_out_as_it_is_in_one_place_only():
    uses = {path.name: path.read_text("utf-8").count("structure:") for path in TEMPLATES.glob("*.pt")}
    assert {name: count for name, count in uses.items() if count} == {"displays.pt": 1}
