# What CMake should know of WASI: static libraries, programs ending in .wasm.
set(WASI TRUE)
set(CMAKE_EXECUTABLE_SUFFIX ".wasm")
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
