# shellcheck shell=sh
# The user's shell without a line editor of bash's, which would show what is typed whatever the terminal says.

otto_shell=${SHELL:-$(command -v bash || echo /bin/sh)}
case ${otto_shell##*/} in bash) exec "$otto_shell" --noediting ;; esac
exec "$otto_shell"
