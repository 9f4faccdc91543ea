"""Every view, from its decorators: who may open it, and the template that draws it."""

import ast
import re
from pathlib import Path

from portal import views
from portal.declaration.checks.appearance import known_icons
from portal.records.writing.history import KINDS
from portal.views.records.history import SENTENCES
from portal.web.flash import MESSAGES
from portal.web.frame import ADMINISTRATION_PAGES, VIEWS
from portal.web.resources import RecordBranch
from tests.declared_views import BY_PROGRAMS, POSTED, RECORD_PATHS, declared_views
from tests.source_code import nodes_of, python_files, tree_of

FOLDER = Path(views.__file__).parent
TEMPLATES = FOLDER.parent / "templates"
# Everyone who is signed in may open these: the tree of addresses contains only what they may see.
OPEN_TO_WHO_IS_SIGNED_IN = {
    "account/account_page.add_token", "account/token_list.end_one_token", "account/token_list.show_token_form",
    "api/conversation.list_comments", "api/conversation.list_files", "api/lists.list_modules", "api/lists.list_records",
    "api/watchers.list_watchers", "api/watchers.remove_watcher",
    "charts.show_chart",
    "api/openapi.describe_api", "api/openapi.describe_module",
    "mcp/protocol.answer_message", "api/records.move_record", "api/records.read_record",
    "account/passkeys.change_passkey", "account/passkeys.make_passkey", "account/passkeys.new_passkey_options",
    "account/passkeys.show_passkey_form",
    "account/device_list.sign_out_device", "account/letter_choices.choose_letters", "account/account_page.show_account",
    "account/own_data.download_own_data",
    "forms/drafts.discard_draft", "forms/drafts.save_draft", "home.show_home", "lists/arranging.change_views",
    "lists/arranging.choose_columns", "lists/many_records.do_to_records",
    "lists/list_navigation.show_next", "lists/list_navigation.show_previous", "lists/list_page.list_records",
    "forms/offers.find_linked", "lists/search.search_everywhere", "lists/search_box.complete_search",
    "records/actions.move_record",
    "records/actions.show_transition", "records/comments.show_comments", "records/details.show_record",
    "records/record_pdf.record_as_pdf",
    "records/files.send_file", "records/files.send_thumbnail", "records/history.show_history",
    "records/seen_and_hidden.hide_record", "records/seen_and_hidden.mark_module_seen",
    "records/seen_and_hidden.mark_record_seen", "records/seen_and_hidden.dismiss_notice",
    "records/watching.change_watchers",
}  # fmt: skip
# Everyone in the world may.
PUBLIC = {
    "access/sign_up.join_by_link", "access/sign_up.use_sign_up_link", "access/sign_up.show_join",
    "access/sign_up.show_proof",
    "access/sign_up.show_sign_up", "access/sign_up.sign_up", "account/letter_choices.show_unsubscribe",
    "account/letter_choices.unsubscribe", "account/password.request_reset", "account/password.set_password",
    "account/password.show_forgotten", "account/password.show_password_link", "account/session.choose_language",
    "account/session.show_login", "account/session.sign_in", "account/session.sign_out",
    "account/single_sign_on.begin_single_sign_on", "account/single_sign_on.finish_single_sign_on",
    "account/sign_in_passkey.passkey_options", "account/sign_in_passkey.sign_in_by_passkey",
    "account/sign_in_code.show_code", "account/sign_in_code.sign_in_by_code",
    "account/sign_in_link.request_sign_in_link", "account/sign_in_link.show_link_sent",
    "account/sign_in_link.show_sign_in_link", "account/sign_in_link.use_sign_in_link",
    "administration/health.show_health", "administration/health.show_metrics",
    "administration/preview_entrance.enter_preview", "static_files.serve_asset",
    "static_files.show_robots",
}  # fmt: skip
# Only forms and scripts of the portal lead to these.
FOR_SCRIPTS = {
    "administration/inbox.dismiss_mail", "forms/drafts.discard_draft", "forms/drafts.save_draft",
    "forms/offers.default_from_link",
}  # fmt: skip


def test_the_docstring_of_a_view_begins_with_its_method_and_address():
    offenders = [
        f"{path.relative_to(FOLDER)}:{node.lineno}"
        for path in python_files(FOLDER)
        for node in tree_of(path).body
        if any(ast.unparse(one).startswith(("view_config", "api_view")) for one in getattr(node, "decorator_list", ()))
        and not re.match(r"`(GET|POST|PUT|PATCH|DELETE) /", ast.get_docstring(node) or "")
    ]
    assert offenders == [], "begin the docstring as in `GET /MODULE/ID/`"


def test_a_view_without_a_permission_is_meant_for_everyone_who_is_signed_in():
    kinds = "view_config", "api_view_config"
    found = {view for view, kind, asked in declared_views() if kind in kinds and "permission" not in asked}
    assert sorted(found ^ OPEN_TO_WHO_IS_SIGNED_IN) == [], "give the view a permission, or name it here"


def test_a_public_view_is_meant_to_be_public():
    found = {view for view, _kind, asked in declared_views() if asked.get("permission") == "NO_PERMISSION_REQUIRED"}
    assert sorted(found ^ PUBLIC) == [], "is the view meant for everyone in the world? then name it here"


def test_pages_about_the_portal_are_for_administrators():
    permissions = {
        view: keywords.get("permission") for view, _kind, keywords in declared_views()
        if keywords.get("context") == "Administration" and view not in PUBLIC
    }  # fmt: skip
    assert permissions
    others = {view: asked for view, asked in permissions.items() if asked not in ("ADMINISTER", "READ_LETTERS")}
    assert others == {}, "give the view permission=ADMINISTER"


def test_every_page_about_the_portal_stands_in_the_menu_and_is_looked_at():
    looked_at = (Path(__file__).parents[2] / "browser" / "pages.py").read_text("utf-8")
    names = [
        ast.literal_eval(keywords["name"]) for _view, _kind, keywords in declared_views()
        if keywords.get("context") == "Administration" and "renderer" in keywords
    ]  # fmt: skip
    assert sorted(set(names) ^ ADMINISTRATION_PAGES.keys()) == [], "web/frame.py: ADMINISTRATION_PAGES"
    assert sorted(set(names) - VIEWS.keys()) == [], "no label in web/frame.py: VIEWS"
    assert sorted(set(ADMINISTRATION_PAGES.values()) - known_icons()) == [], "icons that are not there"
    assert [name for name in names if f'"/-/{name}"' not in looked_at] == [], "no line in tests/browser/pages.py"


def test_what_is_sent_to_a_record_and_below_it_is_known_to_the_tests_of_rights():
    branches = {"Record", *(branch.__name__ for branch in RecordBranch.__subclasses__())}
    assert sorted(branches - RECORD_PATHS.keys()) == [], "tests/declared_views.py: RECORD_PATHS"
    assert len(POSTED) > 15
    assert len(BY_PROGRAMS) > 10


def test_what_the_next_page_shall_say_has_its_sentence():
    calls = [
        call for path in python_files(FOLDER) for call in nodes_of(path)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "set_flash"
    ]  # fmt: skip
    keys = {
        part.value for call in calls for part in ast.walk(call.args[2])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }  # fmt: skip
    assert {"commented", "sent-before"} <= keys
    assert sorted(keys - MESSAGES.keys() - {"withdraw"}) == [], "web/flash.py: MESSAGES lacks these"


def test_whatever_happens_to_a_record_has_its_sentence():
    happened = {
        call.args[2].value for path in python_files() for call in nodes_of(path)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "add_event"
        and isinstance(call.args[2], ast.Constant)
    }  # fmt: skip
    assert {"created", "commented"} <= happened
    assert sorted(happened - {*KINDS}) == [], "records/writing/history.py: KINDS lacks these"
    assert sorted(SENTENCES.keys() ^ {*KINDS}) == [], "views/records/history.py: SENTENCES"


def named_views():
    """The named views, with their names."""
    return {
        view: ast.literal_eval(keywords["name"]) for view, _kind, keywords in declared_views()
        if keywords.get("name", "").startswith("'")
    }  # fmt: skip


def test_every_address_is_in_the_reference():
    reference = (FOLDER.parents[1] / "docs" / "reference.md").read_text("utf-8")
    names = {view: name for view, name in named_views().items() if view not in FOR_SCRIPTS}
    lacking = {view: name for view, name in names.items() if not re.search(rf"/{re.escape(name)}\b", reference)}
    assert lacking == {}, "no row among the addresses in docs/reference.md"


def test_every_address_is_asked_for_by_a_test():
    """By one of what it does: test_access.py lists addresses only for their rights."""
    files = (Path(__file__).parents[2] / "functional").glob("*.py")
    tests = "\n".join(path.read_text("utf-8") for path in files if path.name != "test_access.py")
    lacking = {
        view: name for view, name in named_views().items()
        if not re.search(rf'/{re.escape(name)}\b|"{re.escape(name)}["?]', tests)
    }  # fmt: skip
    assert lacking == {}, "no test in tests/functional requests this address"


def test_every_page_has_its_template():
    drawn = {view: keywords.get("renderer", "''").strip("'") for view, _kind, keywords in declared_views()}
    lacking = {view: name for view, name in drawn.items() if name.endswith(".pt") and not (TEMPLATES / name).exists()}
    assert lacking == {}, "portal/templates/ lacks these"
