# Third-party libraries, all Debian packages but libssh2 (tools/setup builds Debian's newer source package, changed as
# tools/libssh2 says, into OTTO_DEPS_DIR). Each is linked PRIVATE into the one layer that owns it.
set(OTTO_DEPS_DIR "${PROJECT_SOURCE_DIR}/.deps" CACHE PATH "Where tools/setup put what Debian has too old")
list(PREPEND CMAKE_PREFIX_PATH "${OTTO_DEPS_DIR}")

# Looking up 25 shared libraries and their symbols took half of a short command's time; static ones are part of the
# binary, and of libarchive only what is used (no libxml2, no ICU). Debian's static xxHash cannot choose the processor's
# best instructions.
option(OTTO_STATIC "Link libraries statically where that can be had" ON)
set(shared_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
if(OTTO_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a ${shared_suffixes})
  set(OPENSSL_USE_STATIC_LIBS ON)
endif()

find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt 9 REQUIRED)
set(OTTO_FMT fmt::fmt)
find_package(SQLite3 REQUIRED)
pkg_check_modules(yaml-cpp REQUIRED IMPORTED_TARGET yaml-cpp)
find_package(LibArchive REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
set_target_properties(PkgConfig::re2 PROPERTIES INTERFACE_COMPILE_OPTIONS "")  # -pthread and a language level: ours hold
pkg_check_modules(libtelnet REQUIRED IMPORTED_TARGET libtelnet)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
find_package(tomlplusplus REQUIRED)
set(OTTO_TOML tomlplusplus::tomlplusplus)
find_package(libssh2 1.11.1 CONFIG REQUIRED)

if(OTTO_STATIC)  # what these need themselves, which their packages do not say
  find_library(OTTO_ACL acl REQUIRED)
  target_link_libraries(LibArchive::LibArchive INTERFACE ${OTTO_ACL} PkgConfig::zstd ZLIB::ZLIB)
  target_link_options(LibArchive::LibArchive INTERFACE LINKER:--gc-sections)  # the formats of other files need more
  target_link_libraries(PkgConfig::libtelnet INTERFACE ZLIB::ZLIB)
  target_link_libraries(SQLite::SQLite3 INTERFACE m)
endif()

# The C++ runtime too, once no shared library is left that needs it: simdjson is static (tools/setup), toml++ is
# compiled in from its headers, and so is fmt, once, as a library of ours. It spares a fifth of a short command's time and
# costs compile time: in Release only.
set(OTTO_STATIC_RUNTIME OFF)
if(OTTO_STATIC AND CMAKE_BUILD_TYPE STREQUAL Release AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND simdjson_LINK_LIBRARIES MATCHES "\\.a$")
  set(OTTO_STATIC_RUNTIME ON)
  add_library(otto_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cc)
  target_include_directories(otto_fmt SYSTEM PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  set_target_properties(otto_fmt PROPERTIES EXPORT_NAME fmt)
  set(OTTO_FMT otto_fmt)
  set(OTTO_TOML)
endif()
set(CMAKE_FIND_LIBRARY_SUFFIXES ${shared_suffixes})
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
