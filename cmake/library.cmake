# The library for other programs: `cmake --preset library && cmake --build build/library && cmake --install build/library --prefix DIR`
# gives DIR the headers, a shared and a static library, and what pkg-config and find_package read (docs/EMBEDDING.md).
#
# Both libraries are one object: the core and, of the third-party libraries, what it takes, with every symbol but retort_* made local. So a
# program may have copies of its own of jansson, mbedTLS or libsodium, of any version, and neither sees the other's.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
file(STRINGS ${CMAKE_SOURCE_DIR}/runtime/include/retort.h line REGEX "define RETORT_ABI_VERSION")
string(REGEX MATCH "[0-9]+" abi "${line}")

set(object ${CMAKE_BINARY_DIR}/retort.o)
add_custom_command(OUTPUT ${object}
  COMMAND ${CMAKE_LINKER} -r -o ${object}.all --whole-archive $<TARGET_FILE:retort_core> --no-whole-archive
          ${RETORT_DEPS}/lib/libjansson.a ${RETORT_DEPS}/lib/libmbedtls.a ${RETORT_DEPS}/lib/libsodium.a
  COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=retort_* ${object}.all ${object}
  DEPENDS retort_core VERBATIM)
set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)

foreach(kind SHARED STATIC)
  string(TOLOWER ${kind} name)
  add_library(retort_${name} ${kind} ${object})
  set_target_properties(retort_${name} PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME retort EXPORT_NAME ${name})
  target_include_directories(retort_${name} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(retort_${name} PRIVATE m)
endforeach()
set_target_properties(retort_shared PROPERTIES SOVERSION ${abi} VERSION ${abi}.${PROJECT_VERSION})
target_link_options(retort_shared PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/retort.map -Wl,--no-undefined)
set_target_properties(retort_shared PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/retort.map)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/retort)
install(TARGETS retort_shared retort_static EXPORT retort-targets)
install(EXPORT retort-targets NAMESPACE retort:: DESTINATION ${package} FILE retort-config.cmake)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/retort-config-version.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # so that the folder may be moved
configure_file(${CMAKE_SOURCE_DIR}/cmake/retort.pc.in ${CMAKE_BINARY_DIR}/retort.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/retort-config-version.cmake DESTINATION ${package})
install(FILES ${CMAKE_BINARY_DIR}/retort.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_SOURCE_DIR}/runtime/include/retort.h ${CMAKE_SOURCE_DIR}/runtime/include/retort_platform.h TYPE INCLUDE)
