from enum import StrEnum


class Architecture(StrEnum):
    ARM = "arm"
    X86 = "x86"

    def __str__(self) -> str:
        return str(self.value)
