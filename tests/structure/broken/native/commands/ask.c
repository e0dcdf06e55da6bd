/* Nothing wrong here. */
int ask(void);
int ask(void) { return 1; }
