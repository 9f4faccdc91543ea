"""Actions on many records: chosen in a list, or all that match; then a transition or deletion, and the outcome of each.

The transition's questions are asked once, unless the first request already contains the answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPRequestEntityTooLarge
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config
from webob.multidict import MultiDict

from portal.conditions import Comparison, ParsedValue
from portal.declaration.shapes import Transition, display_name
from portal.fields.record_titles import RECORD_ID
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.comments import comment_problem
from portal.records.writing.form_keys import one_time_key
from portal.records.writing.lifecycle import check_leaves, transition_fields, values_after
from portal.records.writing.many_records import (
    INPUTS,
    MOST_RECORDS,
    AnswerRefusedError,
    RecordOutcome,
    do_to_many,
    transitions_for_many,
)
from portal.records.writing.validation import read_form
from portal.texts import Words, _, ngettext
from portal.views.forms.form_content import FormContent, inputs_of, posted_inputs
from portal.views.forms.form_page import FormRow, QuestionPage
from portal.views.forms.offers import find_texts
from portal.views.forms.submissions import once_key, response_if_repeated, response_when_done
from portal.views.forms.widgets import widget
from portal.views.lists.export import CSV, KINDS, list_file, may_export, query_to_export
from portal.views.lists.shown_list import ShownList, shown_list
from portal.views.parts import Pairs, TitledLink
from portal.views.records.actions import comment_widget, given_answers
from portal.views.records.comments import posted_comment
from portal.views.wording import record_in_words
from portal.web.addresses import list_address, many_records_address, record_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Module

DELETE = "delete"
# The value of `do` for each kind of file, and the file ending.
EXPORTS = {"export" if kind is CSV else f"export.{kind.suffix}": kind.suffix for kind in KINDS}
NAMED = 5  # records named in the question
# Inputs of the form that are not parameters of the list.
OWN_INPUTS = (*INPUTS, "comment")


@dataclass(frozen=True)
class ManyAction:
    """A button for an action on all chosen records; `name`: the value of the input `do`."""

    name: str
    label: Words
    icon: str = ""
    tone: str = ""


@dataclass(frozen=True)
class ManyForm:
    """The bar of a list whose records can be chosen."""

    url: str
    once: str
    total: str  # the number of matching records on all pages: “312”, “1,000+”; empty if there is only one page
    actions: tuple[ManyAction, ...]


@dataclass(frozen=True)
class RefusedRecord:
    """A record that was left alone, and why."""

    name: str
    reason: Words
    label: Words = ""  # the field whose answer was refused
    url: str = ""  # if the reader may see it


@dataclass(frozen=True)
class ManyPage:
    """many.pt: the outcome for each record."""

    heading: Words
    back_url: str
    summary: Words
    refused_summary: Words = ""
    done: tuple[TitledLink, ...] = ()  # without url: deleted
    refused: tuple[RefusedRecord, ...] = ()


@view_config(context=Module, name="bulk", request_method="POST")
def do_to_records(module: Module, request: Request) -> Response:
    """`POST /MODULE/bulk`: `ids`, or `all=1` with the list's parameters; `do`: a transition, delete or a key of
    EXPORTS."""
    records, name = module.records, posted_text(request, "do")
    if name in EXPORTS and may_export(records):
        return _export_chosen(records, request, EXPORTS[name])
    transition = next((move for move in transitions_for_many(records) if move.name == name), None)
    if transition is None and not (name == DELETE and records.policy.may(records.name, DELETE)):
        raise HTTPNotFound
    ids = _chosen_ids(records, request)
    if not ids:
        return set_flash(request, response_when_done(records, request, _list_of(records, request)), "nothing-chosen")
    many = ManyRequest(records, request, transition, ids)
    if len(ids) > MOST_RECORDS and not many.whole_list:
        return many.question(
            ngettext("Choose at most ${number} record.", "Choose at most ${number} records.", MOST_RECORDS)
        )
    if not many.is_sure or (problems := many.problems()):
        return many.question(problems=problems if many.is_sure else {})
    if again := response_if_repeated(records, request):
        return again
    outcomes = list(do_to_many(records, ids[:MOST_RECORDS], many.do))
    response_when_done(records, request, _list_of(records, request))
    return render_to_response("many.pt", _many_page(many, outcomes), request)


def _export_chosen(records: Records, request: Request, suffix: str) -> Response:
    """Answers the button: the chosen records as a file, or the whole list."""
    shown = _list_of_chosen(records, request)
    if posted_text(request, "all") == "1":
        return list_file(shown, query_to_export(shown), request, suffix)
    ids = _chosen_ids(records, request)
    if len(ids) > MOST_RECORDS:
        raise HTTPRequestEntityTooLarge
    among = Comparison(("id",), "one_of", tuple(ParsedValue(record_id) for record_id in ids))
    return list_file(shown, Query(condition=among, sort=shown.request.query.sort), request, suffix)


def _chosen_ids(records: Records, request: Request) -> list[int]:
    """The chosen ids, in order; 0 for an invalid one. For a whole list, one more than allowed at once; none if one of
    its filters cannot be read."""
    if posted_text(request, "all") == "1":
        chosen = _list_of_chosen(records, request).request
        return [] if chosen.has_errors else _ids_at_once(records, chosen.query)
    texts = [part.strip() for text in request.POST.getall("ids") if isinstance(text, str) for part in text.split(",")]
    return list(dict.fromkeys(int(text) if RECORD_ID.fullmatch(text) else 0 for text in texts if text))


def _list_of_chosen(records: Records, request: Request) -> ShownList:
    """The list whose records are chosen. Raises HTTPNotFound if its view is gone: more records would be included."""
    shown = shown_list(records, request, _list_parameters(records, request))
    if shown.lost:
        raise HTTPNotFound
    return shown


def _list_parameters(records: Records, request: Request) -> MultiDict:
    """The parameters of the list whose records are chosen: those of the address, or if there are none, of the form."""
    if request.GET:
        return MultiDict(request.GET.items())
    do = posted_text(request, "do")
    question = {field for move in transitions_for_many(records) if move.name == do for field in move.ask}
    return MultiDict(
        (name, value)
        for name, value in request.POST.items()
        if isinstance(value, str)
        and not name.startswith("_")
        and name.partition(".")[0] not in {*OWN_INPUTS, *question}
    )


def _list_of(records: Records, request: Request) -> str:
    return list_address(records.name, list(request.GET.items()))


class ManyRequest:
    """An action on many records; `transition` None: deletion."""

    def __init__(self, records: Records, request: Request, transition: Transition | None, ids: list[int]) -> None:
        self.records, self.request, self.transition, self.ids = records, request, transition, ids
        self.fields = transition_fields(records, transition) if transition else []
        self.asks_comment = transition is not None and "comment" in transition.ask
        self.comment = posted_comment(request, "comment") if self.asks_comment else ""
        self.whole_list = posted_text(request, "all") == "1"

    @property
    def is_sure(self) -> bool:
        """Whether no question is left: it was asked, none is needed, or the request contains the answers."""
        post, transition = self.request.POST, self.transition
        if posted_text(self.request, "_find"):
            return False
        if "_sure" in post:
            return True
        if transition is None or transition.confirm:
            return False
        if self.fields or self.asks_comment:
            return "comment" in post or any(field.has_input(post) for field in self.fields)
        return not self.whole_list

    @property
    def label(self) -> Any:
        """The action, as labeled on the button."""
        return display_name(self.transition) if self.transition else _("Delete")

    def problems(self) -> Mapping[str, str]:
        """The errors in the answers, for any record: checked with the first suitable one."""
        problems: dict[str, str] = {}
        if self.transition and self.asks_comment:
            required = self.transition.ask["comment"] == "required"
            if problem := comment_problem(self.comment, required):
                problems["comment"] = problem
        if self.fields:
            shared = self.shared_values
            problems |= read_form(self.records, self.fields, self.request.POST, shared, 0).errors
        return problems

    @cached_property
    def shared_values(self) -> dict[str, Any]:
        """The values that all chosen records have in common, on which offers of links may depend."""
        chosen = self.records.by_ids(self.ids[:MOST_RECORDS], self.records.module.everything)
        if not chosen:
            return {}
        first, *others = chosen
        shared = {
            name: value
            for name, value in first.values.items()
            if name not in self.field_names and all(other.values[name] == value for other in others)
        }
        return values_after(self.records, shared, self.transition) if self.transition else shared

    @property
    def field_names(self) -> set[str]:
        """The names of the requested fields."""
        return {field.name for field in self.fields}

    def do(self, record: Record) -> None:
        """Applies the action to one record. Raises Refused, ConflictError, NotAllowedError."""
        writer = self.request.writer(self.records)
        if self.transition is None:
            writer.delete(record)
            return
        check_leaves(self.records, record, self.transition)
        known = values_after(self.records, record.values, self.transition)
        filled = read_form(self.records, self.fields, self.request.POST, known, record.id)
        for name, problem in filled.errors.items():
            raise AnswerRefusedError(problem, self.records.module.field(name))
        answers = given_answers(self.records, self.fields, {**known, **filled.values}, was_shown=())
        writer.move(record, self.transition, answers, self.comment)

    def question(self, error: str = "", problems: Mapping[str, str] | None = None) -> Response:
        """The question; 422 if there are errors."""
        problems = problems or {}
        page = _question_page(self, problems, error)
        response = render_to_response("question.pt", page, self.request)
        response.status_code = 422 if error or problems else 200
        return response


def _question_page(many: ManyRequest, problems: Mapping[str, str], error: str) -> QuestionPage:
    """The page with the question about many records: one for all of them, with their number."""
    records, request, transition = many.records, many.request, many.transition
    ids = many.ids[:MOST_RECORDS]
    return QuestionPage(
        heading=many.label,
        subject=_records_in_words(records, ids),
        action=many_records_address(records.name, list(request.GET.items())),
        submit=many.label,
        back_url=_list_of(records, request),
        text=_question_text(many),
        rows=tuple(FormRow((widget,)) for widget in _question_widgets(many, problems)),
        tone=(transition.tone or "primary") if transition else "bad",
        icon=(transition.icon or "") if transition else "trash-2",
        once=once_key(request),
        hidden=_hidden_inputs_of_question(many, ids),
        error=error,
    )


def _hidden_inputs_of_question(many: ManyRequest, ids: Sequence[int]) -> Pairs:
    """The hidden inputs of the question about many records: the action and exactly those records."""
    do = many.transition.name if many.transition else DELETE
    return ("ids", ",".join(map(str, ids))), ("do", do), ("_sure", "1")


def _question_widgets(many: ManyRequest, problems: Mapping[str, str]) -> list[Any]:
    """The inputs of a transition's question for many records: empty, or as sent."""
    records, post = many.records, many.request.POST
    values = many.shared_values if many.fields else {}
    sent = posted_inputs(many.fields, post) or inputs_of(many.fields, {}, many.request.reader)
    content = FormContent(records, sent, values, problems, find_texts=find_texts(many.request))
    widgets = [widget(content, field) for field in many.fields]
    if many.transition and many.asks_comment:
        widgets.append(comment_widget(many.transition, many.comment, problems.get("comment", "")))
    return widgets


def _question_text(many: ManyRequest) -> Words:
    """What to know before an action on many records; for a list too long, that only its first ones are included."""
    if len(many.ids) > MOST_RECORDS:
        return _("These are the first ${number} records of the list.", mapping={"number": MOST_RECORDS})
    if many.transition is None:
        return _("This cannot be undone.")
    return many.transition.confirm or ""


def _records_in_words(records: Records, ids: Sequence[int]) -> Words:
    """Which records are changed: how many, and the references of the first ones."""
    references = (record.reference for record in records.by_ids(ids[:NAMED], ["reference"]))
    first = records.policy.reader.listed(references)
    names = f"{first} …" if len(ids) > NAMED else first
    return ngettext("${number} record: ${names}", "${number} records: ${names}", len(ids), names=names)


def _many_page(many: ManyRequest, outcomes: Sequence[RecordOutcome]) -> ManyPage:
    records = many.records
    done_to = [outcome.record for outcome in outcomes if outcome.record and not outcome.problem]
    refused = [outcome for outcome in outcomes if outcome.problem]
    visible = {record.id for record in records.by_ids([record.id for record in done_to], [])}
    return ManyPage(
        heading=many.label,
        back_url=_list_of(records, many.request),
        summary=ngettext("Done: ${number} record", "Done: ${number} records", len(done_to)),
        refused_summary=ngettext(
            "${number} record was left as it is.", "${number} records were left as they are.", len(refused)
        )
        if refused
        else "",
        done=tuple(
            TitledLink(record_in_words(record), record_address(records.name, record.id) if record.id in visible else "")
            for record in done_to
        ),
        refused=tuple(
            RefusedRecord(
                record_in_words(outcome.record) if outcome.record else str(outcome.id or "?"),
                outcome.problem,
                outcome.field.title if outcome.field else "",
                record_address(records.name, outcome.id) if outcome.record else "",
            )
            for outcome in refused
        ),
    )


def many_form(records: Records, parameters: Sequence[tuple[str, str]], total: str, export: bool) -> ManyForm | None:
    """The bar; None if the profile has no actions on many records. `total`: as in ManyForm."""
    actions = [
        ManyAction(move.name, display_name(move), move.icon or "", move.tone or "")
        for move in transitions_for_many(records)
    ]
    if records.policy.may(records.name, "delete"):
        actions.append(ManyAction("delete", _("Delete"), "trash-2"))
    if export:
        actions += [ManyAction(do, kind.title, "download") for do, kind in zip(EXPORTS, KINDS, strict=True)]
    return (
        ManyForm(many_records_address(records.name, parameters), one_time_key(), total, tuple(actions))
        if actions
        else None
    )


def _ids_at_once(records: Records, query: Query) -> list[int]:
    """The ids of the first records of a list, in order: one more than allowed at once."""
    ids: list[int] = []
    for record in records.iterate(query, [], size=MOST_RECORDS + 1):
        ids.append(record.id)
        if len(ids) > MOST_RECORDS:
            break
    return ids
