# Remote shell scripts are files, FOLDER/scripts/NAME.sh; C++ reads them as constants of the generated header
# "FOLDER/scripts.h", in the folder's namespace. The header is not installed.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(OTTO_GENERATED ${PROJECT_BINARY_DIR}/generated)

# otto_embed_scripts(TARGET): a header for each folder below the calling one that has scripts.
function(otto_embed_scripts target)
  set(embedder ${PROJECT_SOURCE_DIR}/tools/cmake/embed_scripts.py)
  file(GLOB_RECURSE scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.sh)
  list(FILTER scripts INCLUDE REGEX "/scripts/[a-z_0-9]+\\.sh$")
  set(folders)
  foreach(script ${scripts})
    string(REGEX REPLACE "/scripts/[^/]+$" "" folder ${script})
    list(APPEND folders ${folder})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  foreach(folder ${folders})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${folder})
    # engine/stage is otto::stage, transport/telnet is otto::transport.
    string(REGEX MATCH "^(engine/)?([^/]+)" namespace ${path})
    set(namespace otto::${CMAKE_MATCH_2})
    set(own ${scripts})
    list(FILTER own INCLUDE REGEX "^${folder}/scripts/")
    set(header ${OTTO_GENERATED}/${path}/scripts.h)
    add_custom_command(OUTPUT ${header} DEPENDS ${own} ${embedder} VERBATIM COMMENT "Embedding the scripts of ${path}"
      COMMAND ${Python3_EXECUTABLE} -B ${embedder} ${header} ${namespace} ${own})
    target_sources(${target} PRIVATE ${header})
    target_include_directories(${target} PRIVATE ${OTTO_GENERATED})
  endforeach()
endfunction()
