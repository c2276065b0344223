# Settings and warnings every target of ours shares, as INTERFACE targets; sanitizers chosen by preset.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(OTTO_WERROR "Treat warnings as errors" OFF)
set(OTTO_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

# Where ccache is installed, build trees share what they compile (debug info names the source tree, not the build tree).
find_program(OTTO_CCACHE ccache)
if(OTTO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${OTTO_CCACHE})
endif()

# Many files compiled as one: a build of all takes a third of the time, and one after an edit takes longer.
option(OTTO_UNITY "Compile the files of a target in few large batches" OFF)
set(OTTO_UNITY_BATCH 20 CACHE STRING "How many files a batch has; 0 for one batch a target")
if(OTTO_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE ${OTTO_UNITY_BATCH})
endif()

# What nearly every file includes, parsed once: two fifths of a file's compile time. Files still include what they use.
set(OTTO_PRECOMPILED <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set>
  <stop_token> <string> <string_view> <thread> <utility> <vector> <fmt/format.h>)

find_package(Threads REQUIRED)

add_library(otto_settings INTERFACE)
set(OTTO_INSTALL_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/otto)
target_include_directories(otto_settings INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${OTTO_INSTALL_HEADERS}>)
target_compile_features(otto_settings INTERFACE cxx_std_20)
target_link_libraries(otto_settings INTERFACE Threads::Threads)
set(OTTO_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough)
# At -O3 GCC 12 sees these in std::string, where there are none. The preset dev, where warnings are errors, keeps them.
set(OTTO_FALSE_ALARMS -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-maybe-uninitialized)
# A file in a batch is an #included one, and GCC believes that its local types leak; what it inlines there, like std::stop_source,
# it takes for uninitialized. The preset dev has no batches and keeps both.
set(OTTO_FALSE_ALARMS_IN_BATCHES -Wno-subobject-linkage -Wno-maybe-uninitialized)
target_compile_options(otto_settings INTERFACE
  "$<BUILD_INTERFACE:$<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:${OTTO_FALSE_ALARMS}>>"
  "$<BUILD_INTERFACE:${OTTO_WARNINGS};$<$<BOOL:${OTTO_WERROR}>:-Werror>>"
  "$<BUILD_INTERFACE:$<$<AND:$<BOOL:${OTTO_UNITY}>,$<CXX_COMPILER_ID:GNU>>:${OTTO_FALSE_ALARMS_IN_BATCHES}>>"
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>>)  # for ccache
if(OTTO_SANITIZE)
  target_compile_options(otto_settings INTERFACE -fsanitize=${OTTO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(otto_settings INTERFACE -fsanitize=${OTTO_SANITIZE})
endif()

# otto_add_layer(NAME [PUBLIC targets...] [PRIVATE targets...]): one static library of every .cc below the calling folder,
# with the scripts there (scripts.cmake).
function(otto_add_layer name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(otto_${name} STATIC ${sources})
  target_link_libraries(otto_${name} PUBLIC otto_settings ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  otto_embed_scripts(otto_${name})
  if(name STREQUAL graph)
    target_precompile_headers(otto_graph PRIVATE ${OTTO_PRECOMPILED})
  else()
    target_precompile_headers(otto_${name} REUSE_FROM otto_graph)
  endif()
endfunction()
