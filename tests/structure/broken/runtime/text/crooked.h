/* As clang-format would not write it. */
static inline int  crooked( int n ){return n;}
