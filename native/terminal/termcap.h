/* termcap.h - the six calls of the termcap interface that libedit makes; termcap.c answers them. libedit's build finds this header by its
 * usual name. */
#ifndef TERMCAP_H
#define TERMCAP_H

int tgetent(char *buffer, const char *terminal);
int tgetflag(char *name);
int tgetnum(char *name);
char *tgetstr(char *name, char **area);
char *tgoto(const char *capability, int column, int row);
int tputs(const char *text, int lines, int (*put)(int));

#endif
