"""For tests of packages that add a field type: needs `pip install declared-portal[contract]`; the portal itself never
imports it."""

import pytest

pytest.register_assert_rewrite("portal.testing.contract")  # shows differences, as in a test file
