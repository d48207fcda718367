import sys
import unicodedata

import pytest

from reports.escape import HIDDEN, one_line, visible, visible_everywhere, visible_token

# Format characters that have a shape or a place of their own.
SHAPED = {0x0600, 0x0601, 0x0602, 0x0603, 0x0604, 0x0605, 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2}
SHAPED |= {0x110BD, 0x110CD, *range(0x13430, 0x13440)}


def test_a_direction_override_is_shown_as_its_code_point():
    assert visible("abc\u202edef") == "abc⟨U+202E⟩def"


def test_line_feed_and_tab_stay_and_a_lone_carriage_return_is_shown():
    assert visible("a\tb\r\nc\rd") == "a\tb\nc⟨U+000D⟩d"


def test_every_control_and_format_character_is_hidden_or_has_a_shape():
    hidden = {
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    missed = {code for code in hidden if not HIDDEN.match(chr(code))}
    assert missed - SHAPED == {0x09, 0x0A}


def test_visible_text_can_always_be_written_as_utf8():
    assert visible("\ud800").encode() == "⟨U+D800⟩".encode()


def test_one_line_has_no_line_ends_and_no_double_spaces():
    assert one_line(" a\n\n  b\tc\u2028d ") == "a b c⟨U+2028⟩d"


def test_keys_and_nested_values_are_made_visible_and_numbers_stay():
    value = {"a\u200b": [1, None, True, ("x\x1b", 0.5)]}
    assert visible_everywhere(value) == {"a⟨U+200B⟩": [1, None, True, ["x⟨U+001B⟩", 0.5]]}


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (" the", "·the"),
        ("\n\n", "⏎⏎"),
        ("\r\n", "␍⏎"),
        ("\t ", "⇥·"),
        ("", "(empty)"),
        ("·⏎", "⟨U+00B7⟩⟨U+23CE⟩"),
        ("\xa0\u3000", "⟨U+00A0⟩⟨U+3000⟩"),
        ("\u200b x", "⟨U+200B⟩·x"),
        ("\u0301", "◌\u0301"),
        ("a\u0301", "a\u0301"),
        ("\ud800", "⟨U+D800⟩"),
        ("</script>", "</script>"),
    ],
)
def test_the_white_space_of_a_token_is_visible(token, shown):
    assert visible_token(token) == shown


def test_a_visible_token_has_no_white_space_at_all():
    space = {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}
    assert len(space) > 20
    assert not set(visible_token("".join(sorted(space)))) & space
