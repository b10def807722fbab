from enum import StrEnum


class AssayV2UnivariateRequestBinModeType0(StrEnum):
    NONE = "None"

    def __str__(self) -> str:
        return str(self.value)
