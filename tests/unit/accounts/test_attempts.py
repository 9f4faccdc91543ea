"""Which attempts are counted together."""

import pytest

from portal.accounts.attempts import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("", "unknown"),
        ("no address", "unknown"),
    ],
)
def test_an_address_counts_as_its_network(address, network):
    assert network_of(address) == network
