# Completion for fish (put it into ~/.config/fish/completions/ or /usr/share/fish/vendor_completions.d/). Commands and options are asked of the program itself.
function __retort_commands
    retort help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1\t\2/p'
end
function __retort_options
    set -l words (commandline -opc)
    retort $words[2] --help 2>/dev/null | sed -n '/^options:/,/^$/s/^ \{2\}\(-[a-z],\|   \) \(--[a-z0-9-]*\).*/\2/p'
end
complete -c retort -n __fish_use_subcommand -f -a '(__retort_commands)'
complete -c retort -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -f -a '(__retort_options)'
