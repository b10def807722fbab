# Sourced by scripts that run commands beside each other. `start NAME COMMAND ...` starts a command, whose output goes to
# a file; `finish NAME` waits for it, prints its output as a whole and returns its exit code. What is started ignores
# Ctrl-C, and so is ended with the script, with all that it has started: a shell without a terminal gives it no process
# group of its own. $beside is a directory for further files, which are removed with it.

beside=$(mktemp -d)

start() {
    started=$1
    shift
    "$@" >"$beside/$started.output" 2>&1 &
    echo "$!" >"$beside/$started.pid"
}

finish() {
    code=0
    wait "$(cat "$beside/$1.pid")" || code=$?
    rm "$beside/$1.pid"
    cat "$beside/$1.output"
    return "$code"
}

# Prints the processes that some processes have started.
children_of() {
    ps -A -o pid= -o ppid= 2>/dev/null | while read -r process parent; do
        case " $* " in *" $parent "*) printf '%s ' "$process" ;; esac
    done
}

# Each process is stopped before its children are looked for, so that it starts no others meanwhile.
end_started() {
    ended=
    found=
    for file in "$beside"/*.pid; do
        if [ -e "$file" ]; then found="$found $(cat "$file")"; fi
    done
    while [ -n "$found" ]; do
        kill -STOP $found 2>/dev/null || true
        ended="$ended $found"
        found=$(children_of $found)
    done
    if [ -n "$ended" ]; then
        kill -TERM $ended 2>/dev/null || true
        kill -CONT $ended 2>/dev/null || true
    fi
    rm -rf "$beside"
}
trap end_started EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
