# The WASI toolchain of wasm/toolchain.sh: cmake -DCMAKE_TOOLCHAIN_FILE=wasm/cmake/wasi.cmake -DRETORT_WASM_BIN=folder with wasi-clang and wasi-ar
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES RETORT_WASM_BIN)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER ${RETORT_WASM_BIN}/wasi-clang)
set(CMAKE_AR ${RETORT_WASM_BIN}/wasi-ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${CMAKE_COMMAND} CACHE FILEPATH "")
set(CMAKE_C_ARCHIVE_FINISH "")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# clang would hand the linked file to whatever old wasm-opt it finds, and those break the relaxed dot product; so no -O at the link.
set(CMAKE_C_FLAGS_RELEASE_INIT "-O3 -DNDEBUG")
