"""The ledger: for every key of the language, the change that shows its effect on a page, or the test that does.

For test_ledger.py, which compares it with the shapes: a new key needs a line here. A `Change` is made in the files of
the portal below while it runs; then some page must differ for someone.
"""

from dataclasses import dataclass
from typing import Any

from portal.settings import DECLARED


@dataclass(frozen=True)
class Change:
    """`path` in the file becomes `value`; `given`: what else must be there, before and after, by path."""

    path: str
    value: Any
    file: str = "modules"
    given: tuple[tuple[str, Any], ...] = ()


RENAMING = "unit/database/migration/test_renaming.py::"
RESOLVE = "unit/declaration/test_resolve.py::"
PLAN = "unit/database/migration/test_plan_and_apply.py::"
WEBHOOKS = "test_webhooks.py::"
SINGLE_SIGN_ON = "test_single_sign_on.py::"
INDEXES = "unit/database/schema/test_indexes.py::"
TICKETS = "modules.tickets"
FIELDS = f"{TICKETS}.fields"
MOVES = f"{TICKETS}.lifecycle.transitions"
CUSTOMER, STAFF, BUTTONS = "profiles/customer", "profiles/staff", "buttons"

MODULES: dict[str, Any] = {
    "portal": {"name": "Ledger", "languages": ["en", "it"], "administrators": ["staff"]},
    "people": "people",
    "organizations": "companies",
    "modules": {
        "people": {
            "organization": "company",
            "fields": {"name": "text", "email": {"type": "email", "unique": True},
                       "company": {"type": "link", "to": "companies"}},
        },
        "companies": {"fields": {"name": {"type": "text"}, "city": "text"}},
        "answers": {"see": "all", "fields": {"title": "text", "body": "longtext"}},
        "parts": {
            "see": "all",
            "fields": {"title": "text", "size": "integer", "ticket": {"type": "link", "to": "tickets"}},
        },
        "tickets": {
            "owner": "caller", "organization": "company", "comments": True, "attachments": True,
            "fields": {
                "title": {"type": "text"},
                "caller": {"type": "link", "to": "people", "default": "me"},
                "company": {"type": "link", "to": "companies"},
                "helper": {"type": "link", "to": "people"},
                "earlier": {"type": "link", "to": "tickets", "read_only": True},
                "urgent": {"type": "boolean"},
                "kind": {"type": "choice", "options": {"first": {"label": "First"}, "second": "Second"}},
                "state": {"type": "choice", "options": ["new", "open", "done", "closed"]},
                "count": {"type": "integer"},
                "weight": {"type": "decimal"},
                "share": {"type": "percent"},
                "cost": {"type": "money"},
                "due": {"type": "date"},
                "done_at": {"type": "datetime", "read_only": True},
                "took": {"type": "elapsed", "from": "created", "to": "done_at"},
                "stars": {"type": "rating"},
                "body": {"type": "longtext"},
                "city": {"type": "lookup", "of": "company.city"},
                "half": {"type": "formula", "of": "count / 3"},
                "rank": {"type": "formula", "of": {"kind": {"first": "low", "second": "high"}}},
                "pieces": {"type": "rollup", "of": "sum(parts.size)"},
                "rows": {"type": "lines", "fields": {"what": "text", "amount": "integer"}},
                "scan": {"type": "file"},
            },
            "lifecycle": {
                "field": "state",
                "transitions": {
                    "begin": {"from": "new", "to": "open"},
                    "finish": {"from": ["new", "open"], "to": "done", "ask": {"comment": "required"}},
                    "close": {"from": "done", "to": "closed"},
                },
            },
            "list": {"columns": ["reference", "title", "kind", "state", "count", "cost", "due", "half", "rank", "city"],
                     "sort": "title"},
        },
    },
}  # fmt: skip
EVERYTHING = ["create", "edit", "delete", "comment", "attach", "export", "begin", "finish", "close"]
PROFILES: dict[str, dict[str, Any]] = {
    "customer": {"modules": {"tickets": {"can": EVERYTHING}, "people": {}, "companies": {}, "parts": {}}},
    "staff": {
        "staff": True,
        "modules": {
            "tickets": {"see": "all", "can": EVERYTHING}, "people": {"see": "all"}, "companies": {"see": "all"},
            "answers": {"can": ["create"]}, "parts": {"can": ["create"]},
        },
    },
}  # fmt: skip
BUTTON_ENTRIES = {
    "go": {"opens": "tickets", "label": "All tickets"},
    "fill": {"opens": "tickets/create", "label": "Fill in"},
    "away": {"url": "https://x.example"},
}
TABS = {"open": {"label": "Open ones", "where": {"state": ["new", "open"]}}, "all": {}}
SECTIONS = [{"title": "Of the matter", "fields": ["body", ["count", "weight"]]}]
STEPS = [{"title": "What is it", "fields": ["title"]}, {"title": "More of it", "fields": ["kind", "body"]}]
WITH_SECTIONS = ((f"{TICKETS}.detail", {"sections": SECTIONS}),)
WITH_STEPS = ((f"{TICKETS}.create", {"steps": STEPS}),)
WITH_TABS = ((f"{TICKETS}.list.tabs", TABS),)
WITH_CHART = (("home.panels", [{"chart": "tickets", "by": "kind"}]),)
IN_HOME = (("home.buttons", ["go"]),)  # of the customer

# Rights that pages show; without the word in `can`, a page differs for someone.
ACTIONS: dict[str, str] = dict.fromkeys(EVERYTHING, "") | {
    "watch": "test_watchers.py::test_without_the_right_to_watch_people_add_nobody_but_may_remove_themselves",
    "grant": "test_granting.py::test_without_grant_there_are_no_such_pages",
    "import": "test_import_page.py::test_only_people_who_may_import_get_the_link",
}

LEDGER: dict[str, Change | str] = {
    # portal:
    "Settings.name": Change("portal.name", "Another name"),
    "Settings.logo": "unit/web/test_assets.py::test_a_portal_without_a_logo_has_a_mark",
    "Settings.accent": Change("portal.accent", "#aa0000"),
    "Settings.languages": Change("portal.languages", ["it", "en"]),
    "Settings.currency": Change("portal.currency", "USD"),
    "Settings.time_zone": Change("portal.time_zone", "Asia/Tokyo"),
    "Settings.remember_days": "test_signing_in.py::test_remembered_people_stay_for_the_declared_days",
    "Settings.base_url": "test_protection.py::test_in_production_only_the_host_of_base_url_is_ours",
    "Settings.support_address": Change("portal.support_address", "help@x.example"),
    "Settings.administrators": Change("portal.administrators", ["customer"]),
    "Settings.sign_in": "test_devices.py::test_links_do_not_sign_in_where_they_are_not_declared",
    "Settings.second_factor": "test_second_factor_required.py::test_the_portal_names_profiles_that_must_have_one",
    # layouts
    "Tab.label": Change(f"{TICKETS}.list.tabs.open.label", "Waiting ones", given=WITH_TABS),
    "Tab.where": Change(f"{TICKETS}.list.tabs.open.where", {"state": "done"}, given=WITH_TABS),
    "ListLayout.columns": Change(f"{TICKETS}.list.columns", ["title", "weight"]),
    "ListLayout.sort": Change(f"{TICKETS}.list.sort", "-title"),
    "ListLayout.tabs": Change(f"{TICKETS}.list.tabs", TABS),
    "ListLayout.page_size": Change(f"{TICKETS}.list.page_size", 1),
    "ListLayout.export": Change(f"{TICKETS}.list.export", False),
    "Section.title": Change(f"{TICKETS}.detail.sections", [{**SECTIONS[0], "title": "Other"}], given=WITH_SECTIONS),
    "Section.fields": Change(f"{TICKETS}.detail.sections", [{**SECTIONS[0], "fields": ["due"]}], given=WITH_SECTIONS),
    "Section.show_when": Change(
        f"{TICKETS}.detail.sections", [{**SECTIONS[0], "show_when": {"weight": {"over": 99}}}], given=WITH_SECTIONS
    ),
    "Related.module": Change(f"{TICKETS}.detail.related", []),
    "Related.columns": Change(f"{TICKETS}.detail.related", [{"module": "parts", "columns": ["size"]}]),
    "DetailLayout.sections": Change(f"{TICKETS}.detail.sections", SECTIONS),
    "DetailLayout.aside": Change(f"{TICKETS}.detail.aside", ["stars", "channel"]),
    "DetailLayout.related": Change(f"{TICKETS}.detail.related", []),
    "DetailLayout.comments": Change(f"{TICKETS}.detail.comments", "top"),
    "DetailLayout.history": Change(f"{TICKETS}.detail.history", False),
    "Step.title": Change(f"{TICKETS}.create.steps", [{**STEPS[0], "title": "Other"}, STEPS[1]], given=WITH_STEPS),
    "Step.fields": Change(f"{TICKETS}.create.steps", [{**STEPS[0], "fields": ["title", "due"]}], given=WITH_STEPS),
    "FormLayout.fields": Change(f"{TICKETS}.create.fields", ["title", "body"]),
    "FormLayout.steps": Change(f"{TICKETS}.create.steps", STEPS),
    "FormLayout.suggest": Change(f"{TICKETS}.create.suggest", "answers"),
    # lifecycles
    "Transition.from": Change(f"{MOVES}.begin.from", "done"),
    "Transition.to": "test_lifecycle.py::test_only_what_leaves_this_state_and_is_granted_is_offered_and_done",
    "Transition.label": Change(f"{MOVES}.begin.label", "Start it"),
    "Transition.icon": Change(f"{MOVES}.begin.icon", "hand"),
    "Transition.tone": Change(f"{MOVES}.begin.tone", "good"),
    "Transition.ask": Change(f"{MOVES}.finish.ask", {"count": "required"}),
    "Transition.set": "test_lifecycle.py::test_a_transition_sets_what_is_declared",
    "Transition.confirm": Change(f"{MOVES}.begin.confirm", "Are you sure?"),
    "Transition.only": Change(f"{MOVES}.begin.only", "helper"),
    "Transition.bulk": Change(f"{MOVES}.begin.bulk", False),
    "Transition.after": "test_emails.py::test_what_is_due_is_done_once_with_the_portal_as_author",
    "OnComment.set": "test_service_levels.py::test_a_deadline_may_count_from_another_moment_and_end_with_the_answer",
    "OnComment.fill": "test_service_levels.py::test_a_deadline_may_count_from_another_moment_and_end_with_the_answer",
    "OnComment.from": "test_lifecycle.py::test_a_comment_moves_the_record_as_declared_for_its_side",
    "OnComment.to": "test_lifecycle.py::test_a_comment_moves_the_record_as_declared_for_its_side",
    "Lifecycle.field": "test_lifecycle.py::test_the_state_is_changed_by_transitions_alone",
    "Lifecycle.start": Change(f"{TICKETS}.lifecycle.start", "open"),
    "Lifecycle.transitions": "test_lifecycle.py::test_made_up_transitions_do_not_exist",
    "Lifecycle.on_comment": "test_lifecycle.py::test_a_comment_moves_the_record_as_declared_for_its_side",
    "Lifecycle.stages": Change(f"{TICKETS}.lifecycle.stages", ["new", "closed"]),
    "Lifecycle.follow_up": "test_follow_ups.py::test_a_final_record_is_followed_up_in_one_click",
    # other keys of a module
    "Comments.order": "test_corrections.py::test_the_oldest_comment_comes_first",
    "Comments.answers": "test_corrections.py::test_staff_put_a_canned_answer_into_a_comment",
    "Comments.correct": "test_corrections.py::test_the_time_for_corrections_ends",
    "Attachments.max_size": "test_files.py::test_each_refusal_has_its_reason_and_the_rest_is_kept",
    "Attachments.max_count": "test_files.py::test_more_files_than_allowed_at_once_are_named",
    "Files.max_count": "test_file_fields.py::test_several_files_stand_in_one_field",
    "Attachments.types": "test_files.py::test_each_refusal_has_its_reason_and_the_rest_is_kept",
    "Letters.footer": "test_emails.py::test_own_words_say_only_what_the_recipient_may_read",
    "Letters.reply_above": "test_mail_in.py::test_a_reply_becomes_a_comment_without_what_it_quotes",
    "Wording.subject": "test_emails.py::test_own_words_say_only_what_the_recipient_may_read",
    "Wording.text": "test_emails.py::test_own_words_say_only_what_the_recipient_may_read",
    "Mail.created": "test_emails.py::test_opening_something_sends_an_immediate_receipt_and_notifies_the_desk",
    "Mail.commented": "test_emails.py::test_several_comments_make_one_letter_and_nobody_is_notified_of_their_own",
    "Mail.moved": "test_emails.py::test_own_words_say_only_what_the_recipient_may_read",
    "Mail.assigned": "test_emails.py::test_the_assigned_person_is_notified_and_the_desk_no_longer",
    "Mail.desk": "test_emails.py::test_opening_something_sends_an_immediate_receipt_and_notifies_the_desk",
    "Mail.remind": "test_emails.py::test_a_reminder_comes_once_in_each_stay",
    "Inbox.address": "test_mail_in.py::test_a_mail_of_someone_known_becomes_their_ticket",
    "Inbox.creates": "test_mail_in.py::test_a_mail_of_someone_known_becomes_their_ticket",
    "Inbox.title": "test_mail_in.py::test_a_mail_of_someone_known_becomes_their_ticket",
    "Inbox.text": "test_mail_in.py::test_a_mail_of_someone_known_becomes_their_ticket",
    "Inbox.unknown": "test_mail_in.py::test_a_stranger_is_answered_by_mail_alone",
    "Webhook.url": f"{WEBHOOKS}test_a_new_record_is_sent_in_the_form_of_the_api_and_signed",
    "Webhook.on": f"{WEBHOOKS}test_each_event_tells_what_is_particular_to_it",
    "Webhook.as": f"{WEBHOOKS}test_a_webhook_gets_what_its_profile_may_read_and_nothing_else",
    "SignUp.profile": "test_sign_up.py::test_without_approval_one_is_in_at_once",
    "SignUp.domains": "test_sign_up.py::test_the_companies_of_domains_are_looked_for_among_the_records",
    "SignUp.approve": "test_sign_up.py::test_without_approval_one_is_in_at_once",
    "Settings.letters": "test_mail_in.py::test_a_reply_becomes_a_comment_without_what_it_quotes",
    "Settings.hours": "test_deadlines.py::test_a_deadline_is_set_in_working_time_when_a_record_is_made",
    "Settings.holidays": "test_deadlines.py::test_a_deadline_is_set_in_working_time_when_a_record_is_made",
    "Through.through": "test_access.py::test_a_scope_through_another_record_follows_it_at_once",
    "Module.label": Change(f"{TICKETS}.label", "Cases"),
    "Module.singular": Change(f"{TICKETS}.singular", "Case"),
    "Module.icon": Change(f"{TICKETS}.icon", "life-buoy"),
    "Module.reference": f"{PLAN}test_the_reference_of_records_and_the_sequence_stay_when_the_pattern_changes",
    "Module.title": Change(f"{TICKETS}.title", "body"),
    "Module.owner": Change(f"{TICKETS}.owner", "helper"),
    "Module.organization": f"{RESOLVE}test_people_own_themselves_and_companies_are_their_own_organization",
    "Module.see": Change(f"{TICKETS}.see", "organization"),
    "Module.fields": Change(f"{FIELDS}.weight", None),
    "Module.comments": Change("modules.parts.comments", True),
    "Module.attachments": "test_files.py::test_a_comment_brings_files_that_both_sides_have",
    "Module.watchers": "test_watchers.py::test_a_watcher_sees_the_record_on_every_path_and_no_longer_once_taken_off",
    "Module.lifecycle": "test_lifecycle.py::test_the_state_is_changed_by_transitions_alone",
    "Module.list": Change(f"{TICKETS}.list", {"columns": ["body"]}),
    "Module.detail": Change(f"{TICKETS}.detail", {"aside": ["stars"]}),
    "Module.create": Change(f"{TICKETS}.create", {"fields": ["title"]}),
    "Module.edit": Change(f"{TICKETS}.edit", {"fields": ["title"]}),
    "Module.mail": "test_emails.py::test_customers_are_notified_of_exactly_what_they_may_open",
    "Module.keep": "test_retention.py::test_final_records_go_after_their_time_and_a_day_of_notice",
    "Module.records_from": "test_access.py::test_the_first_visible_day_hides_older_posts_but_not_the_catalog",
    "Module.formerly": f"{RENAMING}test_a_renamed_module_keeps_its_records_and_all_that_speaks_of_them",
    "Module.table": "test_existing_tables.py::test_a_list_shows_what_the_reader_may_see",
    "Module.key": "test_existing_tables.py::test_a_record_is_reached_by_a_key_of_any_type",
    # profiles
    "Access.see": Change("modules.tickets.see", "organization", CUSTOMER),
    "Access.can": Change("modules.tickets.can", ["create"], CUSTOMER),
    "Access.menu": Change("modules.parts.menu", False, CUSTOMER),
    "Access.label": Change("modules.tickets.label", "My cases", CUSTOMER),
    "Access.singular": Change("modules.tickets.singular", "Case", CUSTOMER),
    "Access.icon": Change("modules.tickets.icon", "life-buoy", CUSTOMER),
    "Access.where": Change("modules.tickets.where", {"kind": "second"}, CUSTOMER),
    "Access.set": Change("modules.tickets.set", {"kind": "second"}, CUSTOMER),
    "Access.options": Change("modules.tickets.options", {"kind": {"first": "Number one", "second": False}}, CUSTOMER),
    "Access.grants": "test_granting.py::test_no_profile_is_given_beyond_the_own_grants",
    "Access.list": Change("modules.tickets.list.columns", ["title"], CUSTOMER),
    "Access.detail": Change("modules.tickets.detail.aside", ["stars"], CUSTOMER),
    "Access.create": Change("modules.tickets.create.fields", ["title"], CUSTOMER),
    "Access.edit": Change("modules.tickets.edit.fields", ["title"], CUSTOMER),
    "Home.buttons": Change("home.buttons", ["go"], CUSTOMER),
    **{
        f"Panel.{key}": Change("home.panels", [{"chart": "tickets", "by": "kind", **more}], CUSTOMER, WITH_CHART)
        for key, more in {
            "by": {"by": "state"},
            "per": {"by": "due", "per": "month"},
            "of": {"of": "count"},
            "as": {"as": "donut"},
            "label": {"label": "Kinds"},
            "where": {"where": {"kind": "second"}},
        }.items()
    },
    **{
        f"Panel.{kind}": Change("home.panels", [panel], CUSTOMER)
        for kind, panel in {
            "chart": {"chart": "tickets", "by": "kind"},
            "list": {"list": "tickets"},
            "notices": {"notices": "parts"},
            "text": {"text": "Hello"},
        }.items()
    },
    "Home.panels": Change("home.panels", ["activity"], CUSTOMER),
    **dict.fromkeys(
        ("Expectation.as", "Expectation.module", "Expectation.sees", "Expectation.hides", "Profile.expect"),
        "unit/records/audit/test_explain.py::test_expectations_are_held_against_the_records",
    ),
    "Profile.label": "test_granting.py::test_staff_gives_a_recorded_person_access_for_a_time",
    "Profile.extends": f"{RESOLVE}test_a_child_has_what_its_parent_has_and_adds_to_it",
    "Profile.staff": Change("staff", False, STAFF),
    "Profile.second_factor": "test_second_factor_required.py::test_people_who_must_have_one_can_only_set_it_up",
    "Profile.modules": Change("modules.parts", None, CUSTOMER),
    "Profile.menu": Change("menu", ["tickets"], CUSTOMER),
    "Profile.home": Change("home.panels", ["activity"], CUSTOMER),
    # buttons
    "Button.label": Change("buttons.go.label", "Go there", BUTTONS, IN_HOME),
    "Button.text": Change("buttons.go.text", "All that there is", BUTTONS, IN_HOME),
    "Button.icon": Change("buttons.go.icon", "life-buoy", BUTTONS, IN_HOME),
    "Button.tone": Change("buttons.go.tone", "primary", BUTTONS, IN_HOME),
    "Button.opens": Change("buttons.go.opens", "parts", BUTTONS, IN_HOME),
    "Button.url": Change("buttons.away.url", "https://y.example", BUTTONS, (("home.buttons", ["away"]),)),
    "Button.tab": Change("buttons.go.tab", "all", BUTTONS, (*IN_HOME, *WITH_TABS)),
    "Button.where": Change("buttons.go.where", {"kind": "first"}, BUTTONS, IN_HOME),
    "Button.set": Change("buttons.fill.set", {"kind": "second"}, BUTTONS, (("home.buttons", ["fill"]),)),
    "Button.count": Change("buttons.go.count", True, BUTTONS, IN_HOME),
    # fields
    "FromColumn.column": "test_existing_tables.py::test_a_record_shows_the_values_of_its_row",
    "InLines.internal": Change(f"{FIELDS}.body.internal", True),
    "Field.type": Change(f"{FIELDS}.body.type", "markdown"),
    "Field.label": Change(f"{FIELDS}.body.label", "What happened"),
    "Field.help": Change(f"{FIELDS}.body.help", "In one sentence"),
    "Field.placeholder": Change(f"{FIELDS}.title.placeholder", "In short"),
    "Field.required": Change(f"{FIELDS}.title.required", True),
    "Field.required_when": Change(f"{FIELDS}.title.required_when", {"urgent": True}),
    "Field.default": Change(f"{FIELDS}.title.default", "A ticket"),
    "Field.unique": "test_creating.py::test_a_unique_value_is_taken_once_whoever_has_it",
    "Field.read_only": Change(f"{FIELDS}.body.read_only", True),
    "InForms.read_only_when": Change(f"{FIELDS}.title.read_only_when", {"urgent": True}),
    "Field.search": Change(f"{FIELDS}.title.search", False),
    "Field.index": f"{INDEXES}test_a_unique_link_has_one_index_whether_a_list_shows_it_or_not",
    "Field.show_when": Change(f"{FIELDS}.body.show_when", {"urgent": True}),
    "Field.formerly": f"{RENAMING}test_a_renamed_field_keeps_its_values_companions_and_links",
    "Bounded.min": Change(f"{FIELDS}.count.min", 1),
    "Bounded.max": Change(f"{FIELDS}.count.max", 99),
    "DateOrTime.after": "test_form_rules.py::test_a_value_is_not_less_than_that_of_another_field_or_is_after_it",
    "Bounded.at_least": "test_form_rules.py::test_a_value_is_not_less_than_that_of_another_field_or_is_after_it",
    "Rating.halves": Change(f"{FIELDS}.stars.halves", True),
    "Rating.max": Change(f"{FIELDS}.stars.max", 3),
    "LinkLike.to": Change(f"{FIELDS}.helper.to", "companies"),
    "LinkLike.details": Change(f"{FIELDS}.helper.details", ["email"]),
    "LinkLike.where": Change(f"{FIELDS}.helper.where", {"name": "nobody"}),
    "Link.on_delete": "test_editing.py::test_what_others_still_need_is_not_deleted_and_it_says_why",
    "LongTextLike.max_length": Change(f"{FIELDS}.body.max_length", 50),
    "Email.max_length": "unit/fields/test_contract.py::test_an_address_may_be_limited",
    "Url.max_length": "unit/fields/test_contract.py::test_an_address_may_be_limited",
    "LineOfText.max_length": Change(f"{FIELDS}.title.max_length", 50),
    "LineOfText.suggestions": Change(f"{FIELDS}.title.suggestions", ["Broken lamp"]),
    "LineOfText.min_length": Change(f"{FIELDS}.title.min_length", 3),
    "LineOfText.pattern": "test_trust_patterns.py::test_a_pattern_wants_the_whole_text",
    "Percent.places": "unit/fields/test_numbers.py::test_places_and_digits_are_refused_never_rounded",
    "DecimalNumber.digits": "unit/fields/test_numbers.py::test_places_and_digits_are_refused_never_rounded",
    "DecimalNumber.places": "unit/fields/test_numbers.py::test_places_and_digits_are_refused_never_rounded",
    "MoneyField.currency": Change(f"{FIELDS}.cost.currency", "USD"),
    "Datetime.time": "test_whole_days.py::test_a_day_without_a_time_stays_one",
    "Datetime.within": "test_deadlines.py::test_a_deadline_is_set_in_working_time_when_a_record_is_made",
    "Datetime.pause": "test_deadlines.py::test_it_pauses_while_waiting_and_resumes_with_the_time_left",
    "Datetime.stop": "test_deadlines.py::test_when_the_work_is_done_it_stays_and_what_was_left_is_there_again",
    "Datetime.from": "test_service_levels.py::test_a_deadline_may_count_from_another_moment_and_end_with_the_answer",
    "Datetime.to": "test_service_levels.py::test_a_deadline_may_count_from_another_moment_and_end_with_the_answer",
    "Elapsed.in": "test_service_levels.py::test_time_is_counted_in_working_hours_and_over_states_on_every_path",
    "Elapsed.hours": "test_service_levels.py::test_time_is_counted_in_working_hours_and_over_states_on_every_path",
    "Timeliness.of": "test_service_levels.py::test_a_deadline_is_said_to_be_on_track_paused_overdue_missed_or_met",
    "Timeliness.soon": "test_service_levels.py::test_of_several_deadlines_the_one_counts_that_needs_someone_first",
    "Timeliness.to": "test_service_levels.py::test_a_deadline_is_said_to_be_on_track_paused_overdue_missed_or_met",
    "Timeliness.options": "test_service_levels.py::test_a_deadline_is_said_to_be_on_track_paused_overdue_missed_or_met",
    "Elapsed.from": Change(f"{FIELDS}.took.from", "done_at"),
    "Elapsed.to": Change(f"{FIELDS}.took.to", "modified"),
    "FileField.max_size": Change(f"{FIELDS}.scan.max_size", "1 MB"),
    "FileField.types": Change(f"{FIELDS}.scan.types", "application/pdf"),
    "HasOptions.options": Change(f"{FIELDS}.kind.options.first.label", "Number one"),
    **{
        f"Option.{key}": Change(f"{FIELDS}.kind.options.first.{key}", value)
        for key, value in (("label", "Number one"), ("tone", "bad"), ("icon", "flame"), ("help", "The first kind"))
    },
    "Option.show_when": Change(f"{FIELDS}.kind.options.first.show_when", {"urgent": True}),
    "Option.formerly": f"{RENAMING}test_options_that_bear_new_names_change_the_values",
    "Lines.fields": Change(f"{FIELDS}.rows.fields.more", "text"),
    "Lines.total": Change(f"{FIELDS}.rows.total", ["amount"]),
    "Lines.min": Change(f"{FIELDS}.rows.min", 1),
    "Lines.max": Change(f"{FIELDS}.rows.max", 1),
    "Lookup.of": Change(f"{FIELDS}.city.of", "company.name"),
    "Formula.of": Change(f"{FIELDS}.half.of", "count * 5"),
    "Formula.places": Change(f"{FIELDS}.half.places", 1),
    "Formula.currency": "unit/fields/test_formula.py::test_an_amount_is_converted_and_a_number_becomes_one",
    "Formula.empty": "unit/fields/test_formula.py::test_what_is_empty_counts_as_nothing_where_the_formula_says_so",
    "Rollup.of": Change(f"{FIELDS}.pieces.of", "max(parts.size)"),
    "Rollup.through": "unit/declaration/test_rollups.py::test_the_link_is_named_where_there_are_several",
    "Rollup.where": Change(f"{FIELDS}.pieces.where", {"size": {"min": 1000}}),
    "Rollup.includes_unseen": Change(f"{FIELDS}.pieces.includes_unseen", True),
    "Formula.options": Change(f"{FIELDS}.rank.options", {"low": "Not much", "high": "Much"}),
}

# The settings of a process, PORTAL_* and the like: the test that changes each and sees the difference. Those that
# override a key of `portal:` make the same difference as the key.
OWN = "test_settings.py::"
SETTINGS: dict[str, str] = {
    **dict.fromkeys(DECLARED, f"{OWN}test_a_setting_wins_over_the_key_of_the_file"),
    "folder": "test_sending.py::test_a_killed_process_loses_no_letter_and_ends_by_itself_when_told_to",
    "hosted": "test_hosting.py::test_each_host_is_a_portal_of_its_own",
    "loaded_portals": "test_hosting.py::test_portals_that_are_not_kept_come_back",
    "database": "test_sending.py::test_a_killed_process_loses_no_letter_and_ends_by_itself_when_told_to",
    "database_read": "test_replica.py::test_pages_are_read_from_the_replica_and_forms_saved_on_the_primary",
    "development": "test_passwords.py::test_elsewhere_only_administrators_read_them",
    "host": f"{OWN}test_the_server_listens_where_it_is_told_with_as_many_threads",
    "port": f"{OWN}test_the_server_listens_where_it_is_told_with_as_many_threads",
    "threads": f"{OWN}test_the_server_listens_where_it_is_told_with_as_many_threads",
    "trusted_proxy": f"{OWN}test_only_the_trusted_proxy_says_who_comes",
    "largest_request": "test_protection.py::test_a_body_over_the_limit_is_refused",
    "compiled": f"{OWN}test_templates_are_compiled_into_the_folder_that_is_set",
    "files": f"{OWN}test_files_in_a_service_are_asked_for_with_the_keys",
    "s3_access_key": f"{OWN}test_files_in_a_service_are_asked_for_with_the_keys",
    "s3_secret_key": f"{OWN}test_files_in_a_service_are_asked_for_with_the_keys",
    "oidc_issuer": f"{SINGLE_SIGN_ON}test_one_signs_in_there_and_is_back_where_one_wanted_to_be",
    "oidc_client_id": f"{SINGLE_SIGN_ON}test_the_way_there_carries_state_nonce_and_the_digest_of_a_secret",
    "oidc_client_secret": f"{SINGLE_SIGN_ON}test_one_signs_in_there_and_is_back_where_one_wanted_to_be",
    "oidc_label": f"{SINGLE_SIGN_ON}test_who_declines_there_reads_it_here",
    "smtp": "test_passwords.py::test_a_link_is_promised_where_email_is_sent",
    "webhook_key": f"{WEBHOOKS}test_the_command_lists_webhooks_shows_a_secret_and_tries_one",
    "log": "test_health.py::test_an_error_page_shows_the_id_under_which_the_log_has_the_rest",
    "slow_page": "test_health.py::test_an_error_page_shows_the_id_under_which_the_log_has_the_rest",
    "monitor_token": "test_health.py::test_a_token_opens_the_figures",
    "scanner": "test_files.py::test_no_file_is_taken_while_the_scanner_that_is_set_does_not_answer",
    "reload_every": "test_reloading.py::test_files_are_looked_at_as_often_as_is_set",
    "password_memory": f"{OWN}test_passwords_are_hashed_with_the_memory_and_in_the_rounds_that_are_set",
    "password_rounds": f"{OWN}test_passwords_are_hashed_with_the_memory_and_in_the_rounds_that_are_set",
    "no_color": "unit/commands/test_check.py::test_a_terminal_has_colors_and_a_pipe_has_none",
}
