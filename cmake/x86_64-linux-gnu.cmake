# Static x86-64 programs, for releases and for the emulated machines of tests/emulated, whose only system is a kernel.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER cc)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
