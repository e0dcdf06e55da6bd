/* setjmp.h - in the place of WASI's, which refuses to be compiled: cmocka.h beside it needs none. */
