# Sourced by scripts that run commands beside each other. `start NAME COMMAND ...` starts a command, whose output goes to
# a file; `finish NAME` waits for it, prints its output as a whole and returns its exit code. What is started ignores
# Ctrl-C, and so is ended with the script. $beside is a directory for further files, which are removed with it.

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

end_started() {
    for file in "$beside"/*.pid; do
        if [ -e "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
    rm -rf "$beside"
}
trap end_started EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
