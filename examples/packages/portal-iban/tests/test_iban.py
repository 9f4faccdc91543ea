"""`iban` keeps what every field type promises."""

from portal.testing.contract import FieldTypeContract


class TestIban(FieldTypeContract):
    field_type = "iban"
