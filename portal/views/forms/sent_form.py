"""How a sent form is read: shared by the forms of a new record, of an existing one and of a transition."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.request import Request

from portal.fields.base import Field
from portal.fields.protocols import Form
from portal.records.reading.records import Record, Records
from portal.records.writing.validation import read_form
from portal.views.forms.form_content import FormContent, posted_inputs
from portal.views.forms.form_page import UploadInput
from portal.views.forms.offers import find_texts
from portal.views.forms.uploads import (
    Attached,
    Received,
    largest_file,
    pending_attachments,
    receive_files,
    upload_input,
    with_pending_files,
)


class SentForm:
    """A form sent in a request. `known`: the values that it does not contain; `record`: None for a new one."""

    def __init__(
        self,
        request: Request,
        records: Records,
        fields: Sequence[Field],
        known: Mapping[str, Any],
        record: Record | None = None,
        *,
        takes_attachments: bool,
    ) -> None:
        self.request, self.records, self.fields, self.known = request, records, list(fields), known
        self.takes_attachments = takes_attachments
        self._record = record
        self._received = Received()

    @property
    def attached(self) -> Attached:
        """The attachments that were received, and why others were refused."""
        return self._received.attached

    def receive_files(self) -> None:
        """Stores the posted files and replaces them with their keys in the form."""
        fields, attachments = self.fields, self.takes_attachments
        self._received = receive_files(self.request, self.records, fields, with_attachments=attachments)

    def read(self, form: Form) -> FormContent:
        """The content of `form`, with its errors."""
        record_id = self._record.id if self._record else None
        filled = read_form(self.records, self.fields, form, self.known, record_id)
        filled = with_pending_files(self.request, self.records, self.fields, filled, self._received.refused)
        pending = pending_attachments(self.request, self.records, form) if self.takes_attachments else ()
        return self.content(
            posted_inputs(self.fields, form),
            {**self.known, **filled.values},
            errors=filled.errors,
            find_texts=find_texts(self.request),
            pending=tuple(pending),
        )

    def content(self, inputs: Mapping[str, Any], values: Mapping[str, Any], **more: Any) -> FormContent:
        """The form with these inputs."""
        stored, largest = self._record.values if self._record else {}, largest_file(self.request)
        return FormContent(self.records, inputs, values, stored=stored, largest_file=largest, **more)

    def values_of(self, content: FormContent) -> dict[str, Any]:
        """The values of the fields that the form asks for."""
        return {field.name: content.values[field.name] for field in self.fields}

    def upload_input(self, content: FormContent) -> UploadInput | None:
        """The input for attachments, if the form accepts any."""
        if not self.takes_attachments:
            return None
        return upload_input(self.records, self.request, content.pending, self.attached.refused)
