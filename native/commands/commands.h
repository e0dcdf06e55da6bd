/* commands.h - the commands of the program, one file each. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "terminal/options.h"

extern const command run_command, chat_command, inspect_command, tokenize_command, perplexity_command, logits_command, bench_command,
    keygen_command, sign_command, verify_command, trust_command, device_command, update_command;

#endif
