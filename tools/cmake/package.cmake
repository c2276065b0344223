# The library as an installed CMake package: find_package(otto), target otto::otto, header otto/docker.h. Headers go below
# include/otto, which holds otto/ and the graph/ headers that those include. A libssh2 that tools/setup built is
# installed beside the package, because no system has it.
set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/otto)

set_target_properties(otto_engine PROPERTIES EXPORT_NAME otto)
foreach(layer settings graph cache transport)
  set_target_properties(otto_${layer} PROPERTIES EXPORT_NAME ${layer})
endforeach()
install(TARGETS otto_settings otto_graph otto_cache otto_transport otto_engine EXPORT otto-targets)
if(TARGET otto_fmt)
  install(TARGETS otto_fmt EXPORT otto-targets)
endif()
install(EXPORT otto-targets NAMESPACE otto:: DESTINATION ${package_directory})
install(DIRECTORY engine/include/otto DESTINATION ${OTTO_INSTALL_HEADERS})
install(DIRECTORY graph DESTINATION ${OTTO_INSTALL_HEADERS} FILES_MATCHING PATTERN "*.h")
if(EXISTS ${OTTO_DEPS_DIR}/lib/libssh2.a)
  # Its pkg-config file names the folder that it was built for.
  install(DIRECTORY ${OTTO_DEPS_DIR}/lib ${OTTO_DEPS_DIR}/include DESTINATION ${package_directory}/deps
          PATTERN pkgconfig EXCLUDE)
endif()

include(CMakePackageConfigHelpers)
write_basic_package_version_file(otto-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES tools/cmake/otto-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/otto-config-version.cmake DESTINATION ${package_directory})
