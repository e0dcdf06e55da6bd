/* Calls what stands on it. */
int screen(void);
int speak(void);
int speak(void) { return screen(); }
