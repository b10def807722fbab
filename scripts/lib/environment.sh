# Sourced by the other scripts: `use_environment NAME` makes .venv hold what the lock scripts/requirements/NAME.txt pins,
# and puts it on PATH; `engines` has .venv-engines for itself. Nothing outside the clone is changed. A set-up that is up to date costs one checksum.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root" || exit 2
requirements=$root/scripts/requirements

find_python() {
    for python in python3.11 python3 python3.12 python3.13 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            return
        fi
    done
    echo "This needs Python 3.11 or newer with pip: none was found on PATH." >&2
    exit 2
}

# The environments contain one another in this order, so that a larger one serves where a smaller one is asked for.
larger_environments() {
    case $1 in
    demo) echo "demo test check" ;;
    test) echo "test check" ;;
    *) echo "$1" ;;
    esac
}

# A stamp names what was installed: it changes with the locks, and with what an editable install is made of.
stamp_of() {
    cat "$requirements/uv.txt" "$requirements/$1.txt" "$root/pyproject.toml" | cksum
}

is_current() {
    for name in $(larger_environments "$1"); do
        if [ "$(cat "$venv/stamp-$name" 2>/dev/null)" = "$root $(stamp_of "$name")" ]; then
            return 0
        fi
    done
    return 1
}

install_environment() {
    find_python
    echo "Setting up $venv from scripts/requirements/$1.txt ..." >&2
    if ! "$venv"/bin/python -c '' >/dev/null 2>&1 || ! grep -qsxF "$root" "$venv"/made-in; then
        rm -rf "$venv"
        "$python" -m venv "$venv" || { echo "Python's venv module is missing: install it (python3-venv on Debian)." >&2; exit 2; }
        printf '%s\n' "$root" >"$venv/made-in"
    fi
    rm -f "$venv"/stamp-*
    "$venv"/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements/uv.txt" &&
        "$venv"/bin/uv pip sync --quiet --system-certs --require-hashes --python "$venv"/bin/python "$requirements/$1.txt" &&
        "$venv"/bin/uv pip install --quiet --offline --no-deps --no-build-isolation --python "$venv"/bin/python --editable . || {
        echo "The set-up failed: see above. It needs a package index that pip can reach." >&2
        exit 2
    }
    echo "$root $(stamp_of "$1")" >"$venv/stamp-$1"
}

# What is out of date is set up again as large as it was, so that a small script does not take the tests' packages away.
as_large_as_it_was() {
    wanted=$1
    for name in $(larger_environments "$1"); do
        if [ -f "$venv/stamp-$name" ]; then wanted=$name; fi
    done
    echo "$wanted"
}

use_environment() {
    venv=.venv
    if [ "$1" = engines ]; then venv=.venv-engines; fi
    is_current "$1" || install_environment "$(as_large_as_it_was "$1")"
    PATH=$root/$venv/bin:$PATH
    VIRTUAL_ENV=$root/$venv
    export PATH VIRTUAL_ENV
    # Without bytecode, which stays in the clone, each of the programs that a script starts would compile all that it loads.
    unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
}
