"""The tests of Waymark."""

import pytest

# An assertion in the support code shows its values, as one in a test does.
pytest.register_assert_rewrite("tests.support")
