/* Calls upwards, and so in a circle. */
int story(void);
int up(void);
int up(void) { return story(); }
