"""For the tests of packages that add a field type: needs `pip install declared-portal[contract]`; the portal never
imports it."""

import pytest

pytest.register_assert_rewrite("portal.testing.contract")  # what differs is shown, as in a test file
