"""Phone numbers: one written form, so that the same number always has the same blind index."""

import re

_NOT_A_DIGIT = re.compile(r"\D")
_MAINLAND_MOBILE = re.compile(r"1\d{10}")


def normalised(phone: str) -> str:
    """Write a number as ``+`` and digits; a bare mainland mobile number gets its country code.

    >>> normalised("138 0574 0001"), normalised("86-13805740001")
    ('+8613805740001', '+8613805740001')
    """
    digits = _NOT_A_DIGIT.sub("", phone)
    digits = digits.removeprefix("00") if phone.strip().startswith("00") else digits
    if _MAINLAND_MOBILE.fullmatch(digits):
        digits = f"86{digits}"
    return f"+{digits}"


def written(phone: str) -> str:
    """Write a number as a person does: a mainland mobile number without its country code.

    >>> written("+8613805740001"), written("+442071838750")
    ('13805740001', '+442071838750')
    """
    bare = phone.removeprefix("+86")
    return bare if _MAINLAND_MOBILE.fullmatch(bare) else phone


def hint(phone: str) -> str:
    """Return the last four digits, by which a person knows their own number again."""
    return normalised(phone)[-4:]
