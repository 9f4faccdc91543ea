"""Creates, edits, moves, comments on and deletes records, each with everything that belongs to it in one transaction.

A writer is bound to its author: pages get one from `request.writer(records)`, commands make one with SYSTEM. Values
have been checked by `validation.py` or `transfer/`; rights and states are checked here, for every path. What changes
and deletions write is in changing.py and deleting.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Transition, leaves
from portal.records.indexing.backlog import update_linking_records
from portal.records.indexing.formulas import is_in_other_texts
from portal.records.indexing.search_entries import index_records, replace_texts
from portal.records.reading.comments import Comment, find_comment, find_empty_comment
from portal.records.reading.files import StoredFile
from portal.records.reading.records import Record, Records
from portal.records.writing.changing import (
    change_record,
    changed_values,
    move_in_place,
    touch_record,
    with_what_follows,
)
from portal.records.writing.comments import (
    delete_comment,
    insert_comment,
    may_comment,
    may_correct,
    update_comment,
)
from portal.records.writing.defaults import defaults, follow_again
from portal.records.writing.deleting import Deletion
from portal.records.writing.errors import ConflictError, NotAllowedError
from portal.records.writing.files import (
    assign_files,
    delete_file,
    delete_files_of_comment,
    delete_replaced_files,
    insert_field_files,
    insert_files,
    may_attach,
    may_detach,
)
from portal.records.writing.follow_ups import followed_record
from portal.records.writing.history import Author, add_event, change_details, state_details
from portal.records.writing.lifecycle import (
    editable_fields,
    is_for_reader,
    open_state,
    state_of,
    transition_values,
    values_after_comment,
)
from portal.records.writing.links_and_lines import with_whole_rows, write_own_tables
from portal.records.writing.matching_values import without_mismatches
from portal.records.writing.module_rows import row_writer
from portal.records.writing.pending_files import PendingFile
from portal.records.writing.seen_and_hidden import mark_new_to_staff, mark_own_change_seen
from portal.records.writing.signatures import add_signed_event, with_signatures
from portal.records.writing.validation import check_set_values, without_taken
from portal.records.writing.watching import add_watcher, addable, may_watch, remove_watcher

ValueChanges = tuple[Mapping[str, Any], Mapping[str, Any]]  # the values before, and those that differ after


@dataclass(frozen=True)
class Writer:
    """Writes `records` in the name of `author`, with the rights of the records' policy."""

    records: Records
    author: Author

    def create(self, values: Mapping[str, Any]) -> int:
        """Creates a record from `values` and the declared defaults; returns its id. Raises NotAllowedError."""
        self._check_right("create")
        records = self.records
        filled = follow_again(records, {**defaults(records), **values}, keep=values)
        given = [name for name, value in values.items() if filled[name] == value]
        values = without_mismatches(records, without_taken(records, filled, given=values), given)
        values = insert_field_files(records, values, self.author)
        values = with_signatures(records, with_whole_rows(records, values), self.author)
        record_id = row_writer(records).insert(values, self.author)
        write_own_tables(records, record_id, values)
        assign_files(records, values, record_id)
        add_event(records, record_id, "created", self.author, state_details(records.module, values))
        add_signed_event(records, record_id, self.author, values)
        if followed := followed_record(records, values):
            add_event(records, followed, "followed_up", self.author, {"record": record_id})
        index_records(records.as_system, [record_id])
        mark_own_change_seen(records, record_id, self.author)
        return record_id

    def edit(self, record: Record, values: Mapping[str, Any], version: int) -> None:
        """Edits a record: writes the values that differ from its own.

        `version`: that of the record when the author began. Raises NotAllowedError, and ConflictError if the record has
        another version by now, or is final, so that only staff may change internal fields.
        """
        self._check_right("edit")
        fields = [self.records.module.field(name) for name in changed_values(record.values, values)]
        if fields != editable_fields(self.records, record, fields):
            raise ConflictError(record.id)
        self.change(record, values, version)

    def change(self, record: Record, values: Mapping[str, Any], version: int, kind: str = "edited") -> bool:
        """See `change_record`. The caller checks rights."""
        return change_record(self.records, self.author, record, values, version, kind)

    def move(
        self,
        record: Record,
        transition: Transition,
        values: Mapping[str, Any],
        comment: str = "",
        files: Sequence[PendingFile] = (),
    ) -> None:
        """Performs `transition` with the `values` that it asks for, the `comment`, and the files that came with it.

        Raises NotAllowedError, ConflictError in a state that the transition does not leave, and Refused if it sets a
        unique value that another record has.
        """
        records = self.records
        lifecycle = records.module.lifecycle
        self._check_right(transition.name)
        if not is_for_reader(records, record, transition):
            raise NotAllowedError(records.name, transition.name)
        if lifecycle is None or not leaves(transition, state_of(records, record)):
            raise ConflictError(record.id)
        values = {**transition_values(records, transition, values), lifecycle.field: transition.to}
        check_set_values(records, record, values, transition.set)
        if not self.change(record, values, record.version, f"moved:{transition.name}"):
            move_in_place(records, self.author, record, transition)
        if comment or files:
            comment_id = self.add_comment(record, comment)
            if files:
                self.attach(record, files, comment_id=comment_id)

    def comment(self, record: Record, text: str, *, internal: bool = False, folded: str = "") -> int:
        """Adds a comment, to which `on_comment` may react with another state and other values; returns its id.

        `folded`: the quoted text of a mail and its signature.

        Raises NotAllowedError, also for an internal comment by someone who is not staff; ConflictError on a final
        record, unless the comment is internal.
        """
        records = self.records
        if not may_comment(records) or (internal and not records.policy.staff):
            raise NotAllowedError(records.name, "comment")
        state = open_state(records, record, even_final=internal)
        changes = ({}, {}) if internal else values_after_comment(records, record, state)
        return self.add_comment(record, text, internal=internal, changes=changes, folded=folded)

    def add_comment(
        self, record: Record, text: str, *, internal: bool = False, changes: ValueChanges = ({}, {}), folded: str = ""
    ) -> int:
        """Adds a comment without checking rights or `on_comment`; returns its id.

        Every comment goes through here: from `comment`, from a transition that asks for one, from the demo.
        """
        records = self.records
        comment_id = insert_comment(records, record, text, self.author, internal=internal, folded=folded)
        if internal:  # leaves no trace that a customer could see: no count, time or place in the list
            replace_texts(records.as_system, [record.id])
            mark_new_to_staff(records, record.id, self.author)
            return comment_id
        row: dict[str, Any] = {"comments": sa.func.coalesce(records.table.c["comments"], 0) + 1}
        if changes[1]:
            delete_replaced_files(records, changes[1], record.id)
            before, after, columns = with_what_follows(records, record.id, *changes)
            row |= columns
            write_own_tables(records, record.id, after)
            kind = "moved" if records.module.state_field in after else "edited"
            add_event(records, record.id, kind, self.author, change_details(records.module, before, after))
        touch_record(records, self.author, record, row)
        if is_in_other_texts(records.policy.declaration, records.module, changes[1]):
            update_linking_records(records.as_system, record.id)
        return comment_id

    def correct(self, record: Record, comment: Comment, text: str) -> None:
        """Gives one of the author's own comments another text, within the time declared for that, in any state.

        Raises NotAllowedError.
        """
        if not may_correct(self.records, comment, self.author):
            raise NotAllowedError(self.records.name, "comment")
        update_comment(self.records, record, comment, text, self.author)
        replace_texts(self.records.as_system, [record.id])

    def withdraw(self, record: Record, comment: Comment) -> list[StoredFile]:
        """Likewise removes one of the author's own comments and its files; returns the files, to delete their bytes.

        A state that the comment led to stays. Raises NotAllowedError.
        """
        if not may_correct(self.records, comment, self.author):
            raise NotAllowedError(self.records.name, "comment")
        removed = delete_files_of_comment(self.records, record, comment.id)
        delete_comment(self.records, record, comment, self.author)
        public = sum(not file.internal for file in removed)
        self._count_down(record, comments=0 if comment.internal else 1, attachments=public)
        return removed

    def _count_down(self, record: Record, **removed: int) -> None:
        """Lowers the counts of a record by what was removed, and rewrites its index entry without moving it."""
        table = self.records.table
        row = {name: table.c[name] - number for name, number in removed.items() if number}
        if row:
            row_writer(self.records).touch(record.id, row)
        replace_texts(self.records.as_system, [record.id])

    def attach(self, record: Record, files: Sequence[PendingFile], *, comment_id: int | None = None) -> None:
        """Adds stored files, to the comment that they came with if any; those of an internal one are internal.

        Raises NotAllowedError, also for a comment that the author may not read; ConflictError on a final record.
        """
        records = self.records
        comment = None if comment_id is None else find_comment(records, record, comment_id)
        if not may_attach(records) or (comment is None and comment_id is not None):
            raise NotAllowedError(records.name, "attach")
        internal = comment is not None and comment.internal
        if comment_id is None or internal:  # a public comment gets its files even if it led to a final state
            open_state(records, record)
        insert_files(records, record.id, files, self.author, internal=internal, comment_id=comment_id)
        if files and not internal:
            count = sa.func.coalesce(records.table.c["attachments"], 0) + len(files)
            touch_record(records, self.author, record, {"attachments": count})

    def detach(self, record: Record, file: StoredFile) -> None:
        """Removes a file; its author and staff may do so.

        Raises NotAllowedError, and ConflictError on a final record.
        """
        records = self.records
        if not may_detach(records, file, self.author):
            raise NotAllowedError(records.name, "attach")
        open_state(records, record)
        delete_file(records, record, file, self.author)
        empty = find_empty_comment(records, record, file.comment)
        if empty is not None:
            delete_comment(records, record, empty, self.author)
        was_public = empty is not None and not empty.internal
        self._count_down(record, comments=int(was_public), attachments=int(not file.internal))

    def watch(self, record: Record, person_id: int) -> None:
        """Adds a person to the record, who then sees it; no effect if they already watch it.

        Raises NotAllowedError, also for a person whom the author may not add; Refused if there are too many.
        """
        self._check_watching(person_id)
        if add_watcher(self.records, record.id, person_id, self.author):
            replace_texts(self.records.as_system, [record.id])

    def unwatch(self, record: Record, person_id: int) -> None:
        """Removes a person from the record; everyone may remove themselves. Raises NotAllowedError."""
        if person_id != self.records.policy.reader.person:
            self._check_watching(person_id)
        if remove_watcher(self.records, record.id, person_id, self.author):
            replace_texts(self.records.as_system, [record.id])

    def delete(self, record: Record) -> None:
        """Removes the record and what depends on it.

        Raises NotAllowedError, and Refused if other records still need it.
        """
        self._check_right("delete")
        Deletion(self.author, self.records).delete(self.records.as_system, record.id)

    def _check_watching(self, person_id: int) -> None:
        if not may_watch(self.records) or not addable(self.records, [person_id]):
            raise NotAllowedError(self.records.name, "watch")

    def _check_right(self, action: str) -> None:
        if not self.records.policy.may(self.records.name, action):
            raise NotAllowedError(self.records.name, action)
