"""Known devices: what a browser's cookie proves about an account."""

from portal.accounts.devices import MOST_TOKENS, TOKEN_LENGTH, device_of, remember_device

ANNA, BRUNO = (1, "$argon2id$anna"), (2, "$argon2id$bruno")


def test_a_device_is_known_to_the_account_that_signed_in_alone():
    cookie = remember_device(None, *ANNA)
    assert device_of(cookie, *ANNA)
    assert device_of(cookie, *BRUNO) is None
    assert device_of(cookie, 2, ANNA[1]) is None
    assert device_of(cookie, None, None) is None


def test_signing_in_again_keeps_the_number_of_the_device():
    cookie = remember_device(None, *ANNA)
    assert remember_device(cookie, *ANNA) == cookie


def test_several_people_share_a_device():
    cookie = remember_device(remember_device(None, *ANNA), *BRUNO)
    assert device_of(cookie, *ANNA)
    assert device_of(cookie, *BRUNO)
    for number in range(10):
        cookie = remember_device(cookie, number + 3, f"other {number}")
    assert len(cookie) == MOST_TOKENS * TOKEN_LENGTH
    assert device_of(cookie, *ANNA) is None


def test_a_changed_password_makes_the_device_unknown():
    assert device_of(remember_device(None, *ANNA), 1, "$argon2id$new") is None
