"""How a CSV file is imported into the module that was made from it: the arguments of `portal import`."""

from portal.declaration.shapes import Module
from portal.records.transfer.columns import find_columns
from portal.workshop.outlines.from_csv import CsvFile


def import_arguments(file: CsvFile, module: Module) -> list[str]:
    """What stands behind `portal import`."""
    arguments = [module.name, str(file.path)]
    found = find_columns(module, ["en"], file.source.headers, {}, None)
    by_header = {column.header: column.field.name for column in found.imported}
    for header, name in file.field_names.items():
        if header and by_header.get(header) != name:
            arguments += ["--map", f"{header}={name}"]
    if file.notation.decimal:
        arguments += ["--decimal", file.notation.decimal]
    if file.notation.day_first:
        arguments.append("--day-first")
    for word in file.nothing:
        arguments += ["--empty", word]
    if file.has_bad_rows:
        arguments.append("--skip-bad")
    return arguments
