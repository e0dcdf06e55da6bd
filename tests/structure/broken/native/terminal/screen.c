/* Calls upwards in the program, and behind the wall. */
int ask(void);
int story(void);
int screen(void);
int screen(void) { return ask() + story(); }
