"""Writes the files of exported records into a bundle, and their paths into the cells of the CSV file."""

import sqlalchemy as sa

from portal.records.reading.records import Record, Records
from portal.records.transfer.csv_columns import ATTACHMENTS
from portal.records.transfer.file_bundle import FileBundle, bundled_path
from portal.records.transfer.records_by_name import written_names
from portal.store.store import Store


class FileExport:
    """Writes the files of records into a bundle; `done` counts them. Raises StoreError and OSError."""

    def __init__(self, system: Records, bundle: FileBundle, store: Store) -> None:
        self.system, self.bundle, self.store, self.done = system, bundle, store, 0
        table = system.policy.tables.file
        with_files = sa.select(table.c["record"]).where(table.c["module"] == system.name).distinct()
        self._records = set(system.connection.scalars(with_files))

    def cells(self, record: Record) -> dict[str, str]:
        """The cells of a record: the path of each file field, and those of the attachments."""
        fields = self.system.module.fields.items()
        of_fields = {name: field.files_in(record.values.get(name)) for name, field in fields if field.by_upload}
        in_fields = {file.id for files in of_fields.values() for file in files}
        attached, paths = [], dict[int, str]()
        for row in self._rows(record):
            if row["field"] is not None and row["id"] not in in_fields:
                continue  # of a field that is no longer declared
            path = bundled_path(record.id, row["id"], row["name"], bool(row["internal"]) and row["id"] not in in_fields)
            self.bundle.add(path, self.store.read(row["stored"]))
            self.done += 1
            if row["id"] in in_fields:
                paths[row["id"]] = path
            else:
                attached.append(path)
        cells = {name: [paths[file.id] for file in files if file.id in paths] for name, files in of_fields.items()}
        written = {
            name: written_names(of_field) if self.system.module.field(name).multiple else of_field[0]
            for name, of_field in cells.items()
            if of_field
        }
        return {**written, ATTACHMENTS: written_names(attached)}

    def _rows(self, record: Record) -> list[sa.RowMapping]:
        if record.id not in self._records:
            return []
        table = self.system.policy.tables.file
        columns = [table.c[name] for name in ("id", "name", "stored", "field", "internal")]
        of_record = table.c["module"] == self.system.name, table.c["record"] == record.id
        query = sa.select(*columns).where(*of_record).order_by(table.c["id"])
        return list(self.system.connection.execute(query).mappings())
