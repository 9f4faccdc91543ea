"""The pages on which something is filled in or confirmed. Plain values, as in views/pages.py."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.views.displays import Value
from portal.views.forms.upload_parts import UploadInput
from portal.views.parts import Action, Choice, Conflict, DraftForm, FormRow, Pairs, StepState, TitledLink, Widget
from portal.web.frame import Words


@dataclass(frozen=True)
class FormPage:
    """form.pt: create and edit, in one page or step by step."""

    heading: Words
    action: str
    rows: tuple[FormRow, ...]
    submit: Words
    submit_icon: str = "send"
    back_url: str = ""  # to the list or the record
    back_label: Words = ""
    once: str = ""
    version: str = ""  # edit: the version that was read
    hidden: Pairs = ()  # what the other steps hold
    follows: TitledLink | None = None  # the record that a new one follows up, where the form does not ask for it
    step: int = 0
    steps: tuple[StepState, ...] = ()
    choices: tuple[Choice, ...] = ()
    conflict: Conflict | None = None
    draft: DraftForm | None = None
    files: UploadInput | None = None  # asked for in the last step
    compute_url: str = ""  # where a script asks for what is computed while one types

    @property
    def widgets(self) -> Iterator[Widget]:
        for row in self.rows:
            yield from row.widgets

    @property
    def wrong(self) -> tuple[Widget, ...]:
        return tuple(wrong for widget in self.widgets for wrong in widget.wrong)

    @property
    def has_lines(self) -> bool:
        return any(widget.lines for widget in self.widgets)

    @property
    def computes(self) -> bool:
        return any(widget.lines or widget.macro == "computed" for widget in self.widgets)

    @property
    def last(self) -> bool:
        return self.step + 1 >= len(self.steps)

    @property
    def sends_files(self) -> bool:
        return bool(self.last and self.files) or any(widget.upload for widget in self.widgets)


@dataclass(frozen=True)
class QuestionPage:
    """question.pt: moving a record (with what is asked), deleting one, anything that is confirmed first."""

    heading: Words  # the transition's label, “Delete?”
    subject: Words  # the record's reference and title
    action: str
    submit: Words
    back_url: str
    text: Words = ""
    rows: tuple[FormRow, ...] = ()
    tone: str = "primary"
    icon: str = ""
    once: str = ""
    hidden: Pairs = ()  # what else the form sends
    draft: DraftForm | None = None  # where something is asked
    files: UploadInput | None = None  # with a comment that is asked
    error: Words = ""
    others: tuple[Action, ...] = ()  # other ways to do it
    states: tuple[Value, ...] = ()  # from which to which a record is moved

    @property
    def wrong(self) -> tuple[Widget, ...]:
        return tuple(wrong for row in self.rows for widget in row.widgets for wrong in widget.wrong)

    @property
    def has_lines(self) -> bool:
        return any(widget.lines for row in self.rows for widget in row.widgets)

    @property
    def sends_files(self) -> bool:
        return bool(self.files) or any(widget.upload for row in self.rows for widget in row.widgets)
