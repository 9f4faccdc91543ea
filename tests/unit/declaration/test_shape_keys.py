"""The keys of shapes."""

import pytest

from portal.declaration.shape_keys import value_of_key
from portal.fields.base import Field


def test_the_value_of_a_misspelled_key_is_an_error_and_not_nothing():
    field = Field.types["text"](name="color", type="text", max_length=20)
    assert value_of_key(field, "max_length") == 20
    assert value_of_key(field, "max_size") is None
    with pytest.raises(KeyError):
        value_of_key(field, "max_lenght")
