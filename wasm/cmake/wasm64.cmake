# As wasi.cmake, with 64-bit addresses and Emscripten's libc: for the browser's modules that hold models beyond 4 GiB.
include(${CMAKE_CURRENT_LIST_DIR}/wasi.cmake)
set(CMAKE_SYSTEM_PROCESSOR wasm64)
set(CMAKE_C_COMPILER ${RETORT_WASM_BIN}/wasm64-clang)
set(CMAKE_C_STANDARD_LIBRARIES "-nostartfiles -nodefaultlibs -Wl,--no-entry -lbulkmemory -lc -ldlmalloc -lstandalonewasm-nocatch-memgrow -lcompiler_rt")
