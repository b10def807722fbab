"""Is the encoding of a short text guessed, in the languages that people write?"""

from __future__ import annotations

import pytest

from wallaroo_ext.inference.files.texts.encoding_guess import guess_encoding

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


@pytest.mark.parametrize(("text", "encoding"), [(text, each) for text, names in TEXTS.items() for each in names])
def test_a_text_is_guessed(text: str, encoding: str) -> None:
    assert guess_encoding(text.encode(encoding)) == encoding


def test_what_is_in_none_is_in_the_one_that_takes_all_bytes() -> None:
    assert bytes(range(128, 256)).decode(guess_encoding(bytes(range(128, 256))))
