# What CMake should know of WASI: static libraries, programs ending in .wasm.
set(WASI TRUE)
set(CMAKE_EXECUTABLE_SUFFIX ".wasm")
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
# Compiler flags stay out of the link: given an -O there, clang would hand the linked file to whatever old wasm-opt it finds, and those break the
# relaxed dot product.
set(CMAKE_C_LINK_EXECUTABLE "<CMAKE_C_COMPILER> <CMAKE_C_LINK_FLAGS> <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")
