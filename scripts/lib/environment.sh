# Sourced by the other scripts. `use_environment NAME` installs what the lock scripts/requirements/NAME.txt pins into
# .venv and puts it on PATH; `engines` has an environment of its own, .venv-engines. `use_environment_beside` sets up a
# further one, .venv-NAME, which stays off PATH: tools or the vendor's SDK. Nothing outside the clone is changed.
# set_up.py does the work; its docstring explains why concurrent or killed scripts and moved clones do no harm.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
case $root in
*:* | *'
'*)
    echo "The path of this clone has a colon or a line break, which PATH and Python's environments cannot have: move it." >&2
    exit 2
    ;;
esac
WALLAROO_EXT_CALLED_FROM=$PWD # called_from.py makes paths of command lines relative to it
export WALLAROO_EXT_CALLED_FROM
CDPATH='' cd -- "$root" || exit 2
requirements=$root/scripts/requirements

find_python() {
    for python in python3.11 python3 python3.12 python3.13 python3.14 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            return
        fi
    done
    echo "This needs Python 3.11 or newer with pip: none was found on PATH." >&2
    exit 2
}

# Runs set_up.py with the lock file as its descriptor 9: PYTHON, COMMAND, DIRECTORY, LOCK.
set_up() {
    "$1" -I "$root/scripts/lib/set_up.py" "$2" "$root" "$3" "$4" "$1" 9<&"$lock_file"
}

# Sets up an environment and keeps a lock on it until this script ends: DIRECTORY, below the clone, NAME of what pins it,
# and the descriptor for the lock file, 9 by default, which a script gives one environment only.
use_environment_in() {
    mkdir -p "$root/$(dirname -- "$1")"
    # A read-only clone may have no lock file; its environment is used all the same.
    (true >>"$root/$1.lock") 2>/dev/null || true
    lock_file=-
    if [ -r "$root/$1.lock" ]; then
        lock_file=${3-9}
        eval "exec $lock_file<\"\$root/\$1.lock\""
    fi
    code=1
    # The environment's own Python is tried first: that is quicker than to look for another.
    if [ -x "$root/$1/bin/python" ]; then
        set_up "$root/$1/bin/python" check "$1" "$2" && code=0 || code=$?
    fi
    case $code in
    0) ;;
    130) exit 130 ;;
    *)
        find_python
        set_up "$python" install "$1" "$2" || exit $?
        ;;
    esac
}

# Sets up .venv-NAME, beside the environment of the script, and keeps the lock on it by the descriptor FD: FD, NAME.
use_environment_beside() {
    use_environment_in ".venv-$2" "$2" "$1"
    WALLAROO_EXT_ENVIRONMENTS_IN_USE=$root/.venv-$2${WALLAROO_EXT_ENVIRONMENTS_IN_USE:+:$WALLAROO_EXT_ENVIRONMENTS_IN_USE}
}

use_environment() {
    venv=.venv
    if [ "$1" = engines ]; then venv=.venv-engines; fi
    # Bytecode, which stays in the clone, is wanted: without it, each program would compile all that it loads.
    unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PYTHONPLATLIBDIR BASH_ENV ENV
    use_environment_in "$venv" "$1"
    PATH=$root/$venv/bin:$PATH
    VIRTUAL_ENV=$root/$venv
    WALLAROO_EXT_ENVIRONMENTS_IN_USE=$root/$venv${WALLAROO_EXT_ENVIRONMENTS_IN_USE:+:$WALLAROO_EXT_ENVIRONMENTS_IN_USE}
    export PATH VIRTUAL_ENV WALLAROO_EXT_ENVIRONMENTS_IN_USE
}
