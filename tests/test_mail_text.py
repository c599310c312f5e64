"""HTML to the text that a reader sees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.mail.clean import one_line, squeezed, unflow, visible
from checker.mail.text import html_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo\n"),
        ("one<br>two<br/>three", "one\ntwo\nthree\n"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo\n"),
        ('<p class="MsoNormal">one</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>two</p>', "one\n\ntwo\n"),
        ('<p style="margin:0">one</p><p style="margin: 0cm">two</p>', "one\ntwo\n"),
        ("<b>a</b>  <i>b</i>\n c", "a b c\n"),
        ("a&nbsp;&nbsp;b", "a  b\n"),
        ("re&shy;boot re\u200bboot re\u2060boot", "reboot reboot reboot\n"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two\n"),
        ("<ol><li>one<li><p>two</p></ol>", "1. one\n2. two\n"),
        ('<ol start="4"><li>four</ol>', "4. four\n"),
        ('<ol start="\u00b2"><li>x</ol>', "1. x\n"),
        ("<pre>  a\n   b</pre>c", "  a\n   b\n\nc\n"),
        ("a<hr>b", "a\n________________________________\nb\n"),
        ("a<script>evil()</script><style>p{}</style><title>t</title>b<!-- c -->", "ab\n"),
        ('a<span style="display: none">hidden</span><span hidden>x</span><i style="font-size:0">y</i>b', "ab\n"),
        ('<div style="display:none;max-height:0">preheader</div>visible', "visible\n"),
        ('<span style="font-size:0.9em">small</span>', "small\n"),
        ("<select><option>x</select><textarea>y</textarea>z", "z\n"),
        ("&lt;b&gt; &amp; &euro;", "<b> & €\n"),
        ("", ""),
        ("   ", ""),
        ("<p></p>", ""),
    ],
)  # fmt: skip
def test_what_is_seen(html: str, text: str) -> None:
    assert html_text(html) == text


def test_quotes_have_their_depth() -> None:
    html = "<p>mine</p><blockquote>theirs<br><blockquote>mine before<p>too</p></blockquote>again</blockquote>after"
    assert html_text(html) == "mine\n\n> theirs\n>> mine before\n>> too\n>>\n> again\nafter\n"


def test_data_tables_become_rows() -> None:
    html = (
        "<table><tr><th>Cosa</th><th>Valore</th></tr><tr><td>Server</td><td><b>48213</b></td></tr>"
        "<tr><td>Password</td><td>a&amp;b<br>c</td><td></td></tr></table>after"
    )
    assert html_text(html) == "Cosa | Valore\nServer | 48213\nPassword | a&b c\n\nafter\n"


def test_layout_tables_become_lines() -> None:
    html = "<table><tr><td><p>Dear all,</p><p>please reboot.</p></td></tr><tr><td>Bye</td></tr></table>"
    assert html_text(html) == "Dear all,\n\nplease reboot.\n\nBye\n"
    nested = "<table><tr><td>left</td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"
    assert html_text(nested) == "left\na | b\n"


def test_outlook_header_has_its_rule() -> None:
    html = (
        '<p>Fatto.</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt 0 0 0">'
        "<p class=MsoNormal><b>Da:</b> Support<br><b>Inviato:</b> ieri</p></div></div>"
    )
    assert html_text(html) == f"Fatto.\n\n{'_' * 32}\nDa: Support\nInviato: ieri\n"


def test_limit() -> None:
    assert html_text("<p>0123456789</p>" * 50, limit=25) == "0123456789\n\n0123456789\n\n01234\n"


def test_depth_beyond_the_parser_is_still_read() -> None:
    assert html_text("<div>" * 3_000 + "deep &amp; <i>down</i>").split() == ["deep", "&", "down"]
    assert html_text("<blockquote>" * 900 + "deep") == f"{'>' * 60} deep\n"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["", "<p>", "<table><tr><td>", "<ol><li>", "<pre>", "<blockquote>"]))
def test_any_markup_is_read(text: str, start: str) -> None:
    shown = html_text(start + text)
    assert not shown or shown.endswith("\n")
    assert "\x00" not in shown


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_visible_is_stable(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    assert "\r" not in once
    assert "\u200b" not in once


def test_control_characters_and_line_ends() -> None:
    assert visible("a\r\nb\rc\x00\x07\u2028d\u00a0e\ufeff\tf  ") == "a\nb\nc\nd e\tf"
    assert visible("-- \nx") == "-- \nx"
    assert visible("e\u0301") == "é"
    assert squeezed("\n\na\n\n\n\n\n\nb\n\n") == "a\n\n\nb\n"


def test_one_line_has_no_header_injection() -> None:
    assert one_line("Re: x\r\nBcc: evil@x.example\x00\x1b[31m") == "Re: x Bcc: evil@x.example[31m"


@pytest.mark.parametrize(
    ("flowed", "text"),
    [
        ("one \ntwo \nthree\nfour", "one two three\nfour"),
        ("> one \n> two\n>> deep \n>> er", "> one two\n>> deep er"),
        ("> one \nanswer", "> one \nanswer"),
        (" stuffed\n  two", "stuffed\n two"),
        ("text \n\nnext", "text \n\nnext"),
        ("text\n-- \nMario \nRossi", "text\n-- \nMario Rossi"),
        ("text \n-- \nMario", "text \n-- \nMario"),
    ],
)
def test_format_flowed(flowed: str, text: str) -> None:
    assert unflow(flowed) == text


def test_format_flowed_delsp() -> None:
    assert unflow("日本 \n語", delsp=True) == "日本語"
