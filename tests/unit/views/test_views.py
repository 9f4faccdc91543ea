"""Every view, read off its decorators: who may open it, and the template that draws it."""

import ast
from pathlib import Path

from portal import views

FOLDER = Path(views.__file__).parent
TEMPLATES = FOLDER.parent / "templates"
# Everybody who is signed in may open what these show: the tree of addresses holds only what they may see.
OPEN_TO_WHO_IS_SIGNED_IN = {
    "account.show_account", "actions.move_record", "actions.show_transition", "details.show_record",
    "devices.sign_out_device", "drafts.discard_draft", "drafts.save_draft", "files.send_file", "files.send_preview",
    "history.show_history", "home.show_home", "letter_choices.choose_letters", "lists.list_records",
    "many.do_to_records", "news.hide_record", "news.mark_module_seen", "news.mark_record_seen",
    "next_record.show_next", "next_record.show_previous", "search.find_linked", "search.search_everywhere",
    "watching.change_watchers",
}  # fmt: skip
# Everybody in the world may.
PUBLIC = {
    "administration.health", "assets.serve_asset", "letter_choices.show_unsubscribe", "letter_choices.unsubscribe",
    "password.request_reset", "password.set_password", "password.show_forgotten", "password.show_link",
    "session.choose_language", "session.show_login", "session.sign_in", "session.sign_out",
    "sign_in_link.request_sign_in_link", "sign_in_link.show_link_sent", "sign_in_link.show_sign_in_link",
    "sign_in_link.use_sign_in_link", "sign_up.join", "sign_up.prove", "sign_up.show_join", "sign_up.show_proof",
    "sign_up.show_sign_up", "sign_up.sign_up",
}  # fmt: skip


def declared_views():
    """(file.function, decorator, its keywords as they are written) for every view."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            for decorator in getattr(node, "decorator_list", ()):
                name = getattr(getattr(decorator, "func", None), "id", "")
                if name.endswith("view_config"):
                    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in decorator.keywords}
                    yield f"{path.stem}.{node.name}", name, keywords


def test_a_view_without_a_permission_is_meant_for_everybody_who_is_signed_in():
    found = {view for view, kind, asked in declared_views() if kind == "view_config" and "permission" not in asked}
    assert found == OPEN_TO_WHO_IS_SIGNED_IN, "give the view a permission, or name it here"


def test_a_public_view_is_meant_to_be_public():
    found = {view for view, _kind, asked in declared_views() if asked.get("permission") == "NO_PERMISSION_REQUIRED"}
    assert found == PUBLIC


def test_pages_about_the_portal_are_for_administrators():
    permissions = {
        view: keywords.get("permission") for view, _kind, keywords in declared_views()
        if keywords.get("context") == "Administration" and view not in PUBLIC
    }  # fmt: skip
    assert permissions
    assert {view: asked for view, asked in permissions.items() if asked not in ("ADMINISTER", "READ_LETTERS")} == {}


def test_every_page_about_the_portal_stands_in_the_menu_and_is_looked_at():
    menu = (FOLDER.parent / "web" / "frame.py").read_text("utf-8")
    looked_at = (Path(__file__).parents[2] / "browser" / "pages.py").read_text("utf-8")
    addresses = [
        f'"/-/{ast.literal_eval(keywords["name"])}"' for _view, _kind, keywords in declared_views()
        if keywords.get("context") == "Administration" and "renderer" in keywords
    ]  # fmt: skip
    assert addresses
    assert [address for address in addresses if address not in menu] == [], "no entry in web/frame.py"
    assert [address for address in addresses if address not in looked_at] == [], "no line in tests/browser/pages.py"


def test_every_page_has_its_template():
    drawn = {view: keywords.get("renderer", "''").strip("'") for view, _kind, keywords in declared_views()}
    lacking = {view: name for view, name in drawn.items() if name.endswith(".pt") and not (TEMPLATES / name).exists()}
    assert lacking == {}
