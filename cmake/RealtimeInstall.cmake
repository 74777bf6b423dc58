# cmake --install: tools, librealtime.so, its headers, and what finds them: pkg-config and find_package(realtime).
# A user needs tl-expected beside it: Result<T> is part of the public headers.
include(CMakePackageConfigHelpers)

install(TARGETS realtime EXPORT realtimeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/lib/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/librealtime
  FILES_MATCHING PATTERN "*.h")
install(EXPORT realtimeTargets NAMESPACE realtime:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/realtime)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/realtimeConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/realtimeConfig.cmake" INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/realtime)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/realtimeConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/realtimeConfig.cmake" "${PROJECT_BINARY_DIR}/realtimeConfigVersion.cmake"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/realtime)

# The prefix is worked out from the file's own place, so that an installed tree can be moved.
file(RELATIVE_PATH RT_PC_TO_PREFIX "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
configure_file("${CMAKE_CURRENT_LIST_DIR}/librealtime.pc.in" "${PROJECT_BINARY_DIR}/librealtime.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/librealtime.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
