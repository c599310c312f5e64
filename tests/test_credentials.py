"""Ways in: the forms people write them in, and what is announced, half given or left blank and so gives none."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ids_support import message, reading, words

from checker.extract import credentials
from checker.extract.ids_secrets import is_placeholder, is_strong, value_at
from checker.extract.reading import reading_of
from checker.model import Access, Credential

ASKED = frozenset({"credentials"})
Found = list[tuple[str, str | None, str | None]]


def shown(found: tuple[Credential, ...]) -> Found:
    return [(c.access.value, c.username, c.secret.reveal() if c.secret else None) for c in found]


def given_in(body: str, asked: frozenset[str] = frozenset()) -> Found:
    return shown(credentials.settle(credentials.find(reading(body), words(), asked)))


FORMS: list[tuple[str, Found]] = [
    # label and value
    ("user: root\npassword: Kx!9v_tR2#mq", [("os", "root", "Kx!9v_tR2#mq")]),
    ("Benutzer: root\nPasswort: Kx!9v_tR2", [("os", "root", "Kx!9v_tR2")]),
    ("Username = admin\nPassword = hunter2", [("os", "admin", "hunter2")]),
    ("login root\npw calvin-Tr0ut/77", [("os", "root", "calvin-Tr0ut/77")]),
    ("  user   deploy\n  pass   Käfer§8_Straße", [("os", "deploy", "Käfer§8_Straße")]),
    ("Utente: gestore\nPassword: Lampone--77", [("os", "gestore", "Lampone--77")]),
    ("Identifiant : root\nMot de passe : Bz!9q;L4", [("os", "root", "Bz!9q;L4")]),
    ("usuario: deploy (tiene sudo)\nclave: Milonga#1953.Bis", [("os", "deploy", "Milonga#1953.Bis")]),
    ("użytkownik: boss\nhasło: Mol&Ks9", [("os", "boss", "Mol&Ks9")]),
    ("korisnik: sysop\nlozinka: kR#9v", [("os", "sysop", "kR#9v")]),
    ("uporabnik: cebelica (sudo)\ngeslo: Med-7panja", [("os", "cebelica", "Med-7panja")]),
    ("Password: tomatoes\nUser: root", [("os", "root", "tomatoes")]),
    # one line
    ("root / Birke17!Kessel", [("os", "root", "Birke17!Kessel")]),
    ("root:Birke17!Kessel", [("os", "root", "Birke17!Kessel")]),
    ("ssh deploy / Sol&Wind_10", [("os", "deploy", "Sol&Wind_10")]),
    ("user/password: deploy/Sol_Wind10", [("os", "deploy", "Sol_Wind10")]),
    ("user/pw: deploy / Sol_Wind10", [("os", "deploy", "Sol_Wind10")]),
    ("IP/ID/PW: 192.0.2.1/root/abc-123", [("os", "root", "abc-123")]),
    ("Zugang: deploy (sudo) / Sol_Wind10", [("os", "deploy", "Sol_Wind10")]),
    ("| user | deploy |\n| password | Sol_Wind10 |", [("os", "deploy", "Sol_Wind10")]),
    # two lines
    ("Please log in:\n\nroot\n,kein.Plan?99", [("os", "root", ",kein.Plan?99")]),
    ("Administrator\nKasz#48x", [("os", "Administrator", "Kasz#48x")]),
    ("Password for admin:\n\nWolke7.Zebra.", [("os", "admin", "Wolke7.Zebra.")]),
    # prose
    ("la password di root è TorreGrande.1963 (con la T maiuscola)", [("os", "root", "TorreGrande.1963")]),
    ("root mit Passwort Birke17!Kessel, danke", [("os", "root", "Birke17!Kessel")]),
    ("Einloggen ist möglich mit user deploy, pw Sol_Wind10.", [("os", "deploy", "Sol_Wind10")]),
    ("The root password is Sol_Wind10.", [("os", "root", "Sol_Wind10")]),
    ("the root's password is açaí#27", [("os", "root", "açaí#27")]),
    ("Hasło roota: Kalyna_2022? (znak zapytania też)", [("os", "root", "Kalyna_2022?")]),
    ("lozinka za root je Maestral44!", [("os", "root", "Maestral44!")]),
    ("geslo za root je Rinka^slap9m", [("os", "root", "Rinka^slap9m")]),
    ("La contraseña de root es Guayaba*88.", [("os", "root", "Guayaba*88")]),
    ("le mot de passe root est Pivoine_88", [("os", "root", "Pivoine_88")]),
    # tricky secrets
    ('password di root: "blu notte 44!"', [("os", "root", "blu notte 44!")]),
    ('user root, password "Cas@Mi@2!." (il punto finale fa parte della password)', [("os", "root", "Cas@Mi@2!.")]),
    ("root password: qW7.rT2. (the dot belongs to it)", [("os", "root", "qW7.rT2.")]),
    ("root, password: skalar\"neon\"7", [("os", "root", 'skalar"neon"7')]),
    ("root-Passwort: „Bitte nicht neu starten!“", [("os", "root", "Bitte nicht neu starten!")]),
    ("user: root\npassword: Reboot-is-ok-4-me!", [("os", "root", "Reboot-is-ok-4-me!")]),
    # consoles
    ("iDRAC: https://198.51.100.9\nuser: hoster\npassword: Fj0rd?#9", [("console", "hoster", "Fj0rd?#9")]),
    ("IPMI 10.0.8.14, login opsteam, pw Gre.co_26", [("console", "opsteam", "Gre.co_26")]),
    ("console IPMI https://10.20.30.41\n  ADMIN / p0lv3re-di*", [("console", "ADMIN", "p0lv3re-di*")]),
    ("https://10.77.3.9, ADMIN, Galah&Goanna!4", [("console", "ADMIN", "Galah&Goanna!4")]),
    ("iLO 10.99.0.14: login serwisant, hasło Mróz-24h*", [("console", "serwisant", "Mróz-24h*")]),
    # other
    ("VPN: user ext, password Fr33zer--9", [("other", "ext", "Fr33zer--9")]),
    ("AnyDesk ID: 482 119 530\nPassword: Lj#2026hao", [("other", "482 119 530", "Lj#2026hao")]),
    ("TeamViewer 1204556781, Kennwort Molar#36", [("other", "1204556781", "Molar#36")]),
    ("AnyDesk 514 882 039, no password needed, someone clicks accept", [("other", "514 882 039", None)]),
    ("Your public key is in the authorized_keys of user support", [("other", "support", None)]),
    ("Euer SSH-Schlüssel ist beim Benutzer hostsup hinterlegt.", [("other", "hostsup", None)]),
    ("The login is behind this one-time link:\nhttps://x.shop.example/s/8fKq2LmZ", [("other", None, "https://x.shop.example/s/8fKq2LmZ")]),
    ("Zugang: https://onetimesecret.example/secret/k2v9x0q7.", [("other", None, "https://onetimesecret.example/secret/k2v9x0q7")]),
    # several
    (
        "VPN:\n user ext\n password Fr33zer--9\n\nthen, on the box, root / Quai_N7_Sud",
        [("other", "ext", "Fr33zer--9"), ("os", "root", "Quai_N7_Sud")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), FORMS)
def test_forms(body: str, expected: Found) -> None:
    assert sorted(given_in(body), key=str) == sorted(expected, key=str)


NOTHING = [
    "Login: <user>\nPassword: ______",
    "user: root\npassword: XXX",
    "user: root\npassword:\nReboot: yes, any time",
    "user: root\npassword: <password>",
    "user: root\npassword: [your password]",
    "I'll send you the root password by SMS.",
    "Ask me for the password when you need it.",
    "The root password has changed.",
    "root password: will follow",
    "Passwort: folgt per SMS",
    "Utenza: gestore\nPassword: la solita, ce l'avete già",
    "la password di root ve la mando per SMS",
    "le mot de passe root suivra par téléphone",
    "La clave es la de siempre.",
    "hasło roota podam telefonicznie",
    "lozinku ću poslati SMS-om",
    "geslo pošljem po SMS",
    "Please send the new root password to the stored number.",
    "My password expired in 2025, how do I reset it?",
    "user 'contabilita' is locked",
    "password: 7Nani&BiancaNeve",  # whose?
    "Do you need our SSH key? If you send me your public key I can add it to authorized_keys.",
    "sshd says: Failed password for root from 198.51.100.9 port 52144",
    "See https://docs.shop.example/how-to/reset",
    "The files are in /root/.ssh/config and /var/lib/postgresql/15/main.",
    "sudo works without password",
    "Login root, das Passwort liegt unter dem Einmal-Link.",
    "Please reset the root password of tfz1cvkr through single-user mode.",
]


@pytest.mark.parametrize("body", NOTHING)
def test_what_gives_no_way_in(body: str) -> None:
    assert given_in(body) == []
    assert given_in(body, ASKED) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("2. deploy / Sol_Wind10", [("os", "deploy", "Sol_Wind10")]),
        ("deploy, Sol_Wind10", [("os", "deploy", "Sol_Wind10")]),
        ("skm, sudo sans restriction, mdp : Grand-Largue_42", [("os", "skm", "Grand-Largue_42")]),
    ],
)
def test_bare_answers_when_we_asked(body: str, expected: Found) -> None:
    assert given_in(body, ASKED) == expected


def test_a_user_name_and_a_later_password_are_joined() -> None:
    first = credentials.find(reading('the user for you is "admin" (may sudo)', n=1), words())
    second = credentials.find(reading("Forgotten. The password: Wolke7#Zebra", n=2), words())
    assert shown(credentials.settle(first)) == []
    assert shown(credentials.settle((*first, *second))) == [("os", "admin", "Wolke7#Zebra")]


def test_a_password_and_a_later_user_name_are_joined() -> None:
    first = credentials.find(reading("password: Wolke7#Zebra", n=1), words())
    second = credentials.find(reading("user: admin", n=2), words())
    assert shown(credentials.settle((*first, *second))) == [("os", "admin", "Wolke7#Zebra")]


def test_the_same_credential_twice_is_one() -> None:
    body = "user: root\npassword: Kx!9v_tR2"
    found = credentials.find(reading(body, n=1), words()) + credentials.find(reading(body, n=2), words())
    assert len(credentials.settle(found)) == 1


def test_logs_are_not_read() -> None:
    found = credentials.find(reading("it hangs", log="user: root\npassword: Kx!9v_tR2"), words())
    assert found == ()


def test_secrets_hide_in_repr_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    found = credentials.find(reading("user: root\npassword: Kx!9v_tR2#mq"), words())
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info("%s", [c.secret for c in found])
    assert "Kx!9v_tR2#mq" not in caplog.text
    assert "Kx!9v_tR2#mq" not in repr([c.secret for c in found])


def test_spans_are_of_the_secret() -> None:
    (found,) = credentials.find(reading("user: root\npassword: Kx!9v_tR2"), words())
    assert found.span.text == "Kx!9v_tR2"
    assert found.access is Access.OS


@pytest.mark.parametrize(
    ("text", "strong"),
    [
        *(("Kx!9v", True), ("abc123", True), ("20261124", True), ("hello", False), ("Hello", False), ("e-mail", False)),
        *(
            ("l'altro", False),
            ("pass(word)", False),
            ("MySQL", True),
            ("geheim!", False),
            ("a@b!c", True),
            ("12", False),
        ),
    ],
)
def test_strong_values(text: str, strong: bool) -> None:
    assert is_strong(text) is strong


@pytest.mark.parametrize("text", ["____", "XXX", "<password>", "[Passwort]", "...", "***", "<OUI / NON"])
def test_placeholders(text: str) -> None:
    assert is_placeholder(text, words().placeholders)


def test_a_value_ends_with_its_line() -> None:
    assert value_at("pw:   \nnext", 3) is None


SECRET = st.text("abcdefXYZ0123456789!#%&*+-_=~äñžł€", min_size=6, max_size=24).filter(
    lambda s: is_strong(s, camel=False) and s[0].isalnum() and s[-1].isalnum()
)


@settings(max_examples=150, deadline=None)
@given(
    SECRET,
    st.sampled_from(
        ["user: root\npassword: {}", "root / {}", "login root\npw {}", "la password di root è {}", "root\n{}"]
    ),
)
def test_any_strong_secret_survives_any_form(secret: str, form: str) -> None:
    assert given_in(form.format(secret)) == [("os", "root", secret)]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_spans_hold_their_words_and_nothing_crashes(body: str) -> None:
    text = reading_of(message(body))
    for item in credentials.find(text, words(), ASKED):
        assert text.text(item.span.part)[item.span.start : item.span.end] == item.span.text
