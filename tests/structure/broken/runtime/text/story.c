/* What up.c calls, which is right. */
int story(void);
int up(void);
int story(void) { return up(); }
