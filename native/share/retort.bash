# Completion for bash (source it, or put it into /usr/share/bash-completion/completions/retort) and zsh (autoload -U bashcompinit; bashcompinit; source it).
# Commands and options are asked of the program itself, so this file does not age.
_retort() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} words
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    words="help $("$program" help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')"
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  elif [ "${COMP_WORDS[1]}" = help ]; then
    COMPREPLY=($(compgen -W "$("$program" help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$word"))
  elif [ "${word#-}" != "$word" ]; then
    words=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | sed -n '/^options:/,/^$/s/^ \{2\}\(-[a-z],\|   \) \(--[a-z0-9-]*\).*/\2/p')
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _retort retort
