"""The scripts that complete words in bash, zsh and fish: cyclopts writes them, and what it leaves out is added here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclopts import App

_PATHS = "local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=( $(compgen -f -- \"${cur}\") )"
"""How bash completes paths with spaces, and directories with a slash."""

_WHOLE_WORDS = """
# bash breaks words at @ and :, which names and @FILE have. They are put together, and of what completes them is given
# back what readline puts in place of the last part, to which an @ belongs and a : does not.
_wallaroo_ext_whole_words() {
  local line=$COMP_LINE part before=
  local -a whole=()
  for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ $line != [[:space:]]* && ${#whole[@]} -gt 0 && ($part == [@:]* || $before == *[@:]) ]]; then
      whole[${#whole[@]}-1]+=$part
    else
      whole+=("$part")
    fi
    line=${line#*"$part"}
    before=$part
  done
  local -a COMP_WORDS=("${whole[@]}")
  local COMP_CWORD=$((${#whole[@]} - 1))
  _wallaroo_ext
  local word=${COMP_WORDS[COMP_CWORD]}
  if [[ $COMP_WORDBREAKS == *@* && $word == *[@:]* && $word != [\\"\\']* ]]; then
    local kept=${word%"${word##*[@:]}"}
    COMPREPLY=("${COMPREPLY[@]#"${kept%@}"}")
  fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
"""
_REGISTERED = "complete -F _wallaroo_ext wallaroo-ext"
_REGISTERED_WHOLE = f"{_WHOLE_WORDS}\ncomplete -F _wallaroo_ext_whole_words wallaroo-ext"

_ADDED = "(( ${#_cyc_vals} )) && compadd -d _cyc_disp -a _cyc_vals"
_ADDED_DIRECTORIES = """local -a _cyc_dirs=("${(@M)_cyc_vals:#*/}") _cyc_others=("${(@)_cyc_vals:#*/}")
    if (( ${#_cyc_dirs} )); then # no space after a directory; where nothing fits, zsh tries otherwise
      local _cyc_none=1
      compadd -S '' -a _cyc_dirs && _cyc_none=0
      compadd -a _cyc_others && _cyc_none=0
      return _cyc_none
    else
      (( ${#_cyc_vals} )) && compadd -d _cyc_disp -a _cyc_vals
    fi"""
_COMPINIT = "whence compdef >/dev/null || { autoload -Uz compinit && compinit; }"
"""Starts zsh's completion, where nothing in a person's settings has started it."""


class CompletedApp(App):
    """A command line whose completion does in each shell what the shell itself does for paths and names."""

    def generate_completion(self, **options: Any) -> str:
        """Return the script that completes the commands' words in a shell."""
        script: str = super().generate_completion(**options)
        script = script.replace('COMPREPLY=( $(compgen -f -- "${cur}") )', _PATHS)
        return script.replace(_REGISTERED, _REGISTERED_WHOLE).replace(_ADDED, _ADDED_DIRECTORIES)

    def install_completion(self, **options: Any) -> Path:
        """Install the script for a shell, and return its path."""
        installed = super().install_completion(**options)
        if options.get("shell") == "zsh" and options.get("add_to_startup", True):
            _start_completion_of_zsh()
        return installed


def _start_completion_of_zsh() -> None:
    """Let zsh's settings start its completion, where nothing before the line has done so."""
    settings = Path.home() / ".zshrc"
    written = settings.read_text(encoding="utf-8", errors="surrogateescape") if settings.exists() else ""
    if "wallaroo-ext" in written and _COMPINIT not in written:
        end = "" if written.endswith("\n") else "\n"
        with settings.open("a", encoding="utf-8") as file:
            file.write(f"{end}{_COMPINIT}\n")
