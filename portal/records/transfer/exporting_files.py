"""The files of exported records: written into a bundle, and named in the cells of the CSV file."""

import sqlalchemy as sa

from portal.records.reading.records import Record, Records
from portal.records.transfer.csv_columns import ATTACHMENTS
from portal.records.transfer.file_bundle import FileBundle, bundled_path
from portal.records.transfer.records_by_name import written_names
from portal.store.store import Store


class FilesOut:
    """Writes the files of records into a bundle; `done` counts them. Raises StoreError and OSError."""

    def __init__(self, system: Records, bundle: FileBundle, store: Store) -> None:
        self.system, self.bundle, self.store, self.done = system, bundle, store, 0
        table = system.policy.tables.file
        with_files = sa.select(table.c["record"]).where(table.c["module"] == system.name).distinct()
        self._records = set(system.connection.scalars(with_files))

    def cells(self, record: Record) -> dict[str, str]:
        """What the cells of a record hold: the path of each file field, and those of the attachments."""
        attached, cells = [], {}
        fields = self.system.module.fields.items()
        filled = [name for name, field in fields if field.by_upload and record.values.get(name)]
        for row in self._rows(record):
            field = next((name for name in filled if record.values[name].id == row["id"]), None)
            if row["field"] is not None and field is None:
                continue  # of a field that is declared no more
            path = bundled_path(record.id, row["id"], row["name"], bool(row["internal"]) and field is None)
            self.bundle.add(path, self.store.read(row["stored"]))
            self.done += 1
            if field is None:
                attached.append(path)
            else:
                cells[field] = path
        return {**cells, ATTACHMENTS: written_names(attached)}

    def _rows(self, record: Record) -> list[sa.RowMapping]:
        if record.id not in self._records:
            return []
        table = self.system.policy.tables.file
        columns = [table.c[name] for name in ("id", "name", "stored", "field", "internal")]
        of_record = table.c["module"] == self.system.name, table.c["record"] == record.id
        query = sa.select(*columns).where(*of_record).order_by(table.c["id"])
        return list(self.system.connection.execute(query).mappings())
