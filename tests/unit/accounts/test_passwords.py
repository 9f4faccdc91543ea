"""Passwords: their hashes, which ones are too weak, and generated ones."""

import pytest

from portal.accounts.passwords import ALPHABET, Passwords, password_weakness, random_password

CHEAP = Passwords(memory=8, rounds=1)
ANNA = "anna@acme.example"


def test_a_hash_matches_its_password_alone():
    hashed = CHEAP.hash("correct horse battery")
    assert CHEAP.match(hashed, "correct horse battery")
    assert not CHEAP.match(hashed, "correct horse batterz")
    assert CHEAP.hash("correct horse battery") != hashed


def test_without_a_hash_nothing_matches():
    assert not CHEAP.match(None, "")
    assert not CHEAP.match("no hash", "no hash")


def test_a_letter_is_the_same_however_the_keyboard_writes_it():
    assert CHEAP.match(CHEAP.hash("caf\u00e9 au lait"), "cafe\u0301 au lait")


def test_a_hash_with_other_parameters_is_outdated():
    hashed = CHEAP.hash("correct horse battery")
    assert not CHEAP.outdated(hashed)
    assert Passwords(memory=16, rounds=1).outdated(hashed)


@pytest.mark.parametrize(
    "password", ["short", "x" * 1001, ANNA, ANNA.upper(), "Password123", "aaaaaaaaaaaa", "ababababababab", "qwertyuiop"]
)
def test_a_weak_password_is_refused(password):
    assert password_weakness(password, ANNA)


def test_the_name_of_a_long_address_is_a_weak_password():
    assert password_weakness("anna.rossi.verdi", "anna.rossi.verdi@acme.example")


@pytest.mark.parametrize("password", ["correct horse battery", "ten chars!", "密码是一个很长的秘密句子"])
def test_a_long_password_of_several_characters_is_taken(password):
    assert password_weakness(password, ANNA) is None


def test_a_generated_password_is_strong_and_can_be_read_aloud():
    made = {random_password() for _time in range(50)}
    assert len(made) == 50
    assert all(password_weakness(password, ANNA) is None for password in made)
    assert set("".join(made)) <= set(ALPHABET + "-")
