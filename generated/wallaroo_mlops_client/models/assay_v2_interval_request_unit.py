from enum import StrEnum


class AssayV2IntervalRequestUnit(StrEnum):
    DAY = "Day"
    HOUR = "Hour"
    MINUTE = "Minute"
    WEEK = "Week"

    def __str__(self) -> str:
        return str(self.value)
