"""Is the encoding of a text guessed, in the languages that people write, and nothing asserted of a short one?"""

from __future__ import annotations

import pytest

from wallaroo_ext.inference.files.texts.encoding_guess import guess_encodings

TEXTS = {
    "Größe;Gewicht\nMünchen;3\nStraße": ["cp1252", "mac_roman", "cp850"],
    "prénom,âge\nHélène": ["cp1252", "mac_roman", "cp850"],
    "naïve café €5": ["cp1252"],
    "température °C": ["cp1252"],
    "Ähre\nÖl\nÜber": ["cp1252"],
    "łódź,ćma,Gdańsk": ["cp1250"],
    "Москва;Рим\nЖдём": ["cp1251", "koi8-r", "cp866"],
    "Αθήνα,Ελλάδα": ["cp1253"],
    "商品名,価格\nりんご,120\n": ["cp932", "euc_jp"],
    "價格,名稱\n蘋果,5": ["big5"],
    "가격,이름\n사과": ["euc_kr"],
    "コード,カタカナ\nリンゴ,5\nバナナ,7": ["cp932", "euc_jp"],
    "姓名,年龄\n王芳,30\n李伟,41": ["gb18030"],
    "名称,数量\n上海,5\n北京,3": ["gb18030"],
    "产品名称,销售价格,数量\n红色苹果,5": ["gb18030"],
}

SHORT = [
    ("名称,价格\n苹果,5", "gb18030"),
    ("姓名", "gb18030"),
    ("价格", "gb18030"),
    ("编号", "gb18030"),
    ("用户,评分", "gb18030"),
    ("日期,温度\n1,2", "gb18030"),
    ("나이", "euc_kr"),
    ("価格", "cp932"),
    ("Москва", "cp1251"),
    ("ö", "mac_roman"),
]


@pytest.mark.parametrize(("text", "encoding"), [(text, each) for text, names in TEXTS.items() for each in names])
def test_a_text_is_guessed(text: str, encoding: str) -> None:
    assert guess_encodings(text.encode(encoding))[0] == encoding


@pytest.mark.parametrize(("text", "encoding"), SHORT)
def test_of_a_short_text_several_are_likely_and_the_right_one_is_among_them(text: str, encoding: str) -> None:
    found = guess_encodings(text.encode(encoding))
    assert encoding in found
    assert len(found) > 1


def test_what_is_in_none_is_in_the_one_that_takes_all_bytes() -> None:
    assert bytes(range(128, 256)).decode(guess_encodings(bytes(range(128, 256)))[0])
