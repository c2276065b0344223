# Third-party libraries, all Debian packages but libssh2 (tools/setup builds Debian's newer source package, changed as
# tools/libssh2 says, into OTTO_DEPS_DIR). Each is linked PRIVATE into the one layer that owns it.
set(OTTO_DEPS_DIR "${PROJECT_SOURCE_DIR}/.deps" CACHE PATH "Where tools/setup put what Debian has too old")
list(PREPEND CMAKE_PREFIX_PATH "${OTTO_DEPS_DIR}")

find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(LibArchive REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(libtelnet REQUIRED IMPORTED_TARGET libtelnet)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
find_package(tomlplusplus REQUIRED)
find_package(libssh2 1.11.1 CONFIG REQUIRED)
