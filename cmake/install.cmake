# `cmake --install`: the program, the libraries, and headers under include/bitlaw with their paths in the repository.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(TARGETS bitlaw bitlaw_core bitlaw_simulators bitlaw_fitting EXPORT bitlaw)
install(DIRECTORY core simulators fitting DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/bitlaw"
        FILES_MATCHING PATTERN "*.h")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bitlaw")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/bitlawConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES cmake/bitlawConfig.cmake cmake/bitlaw_find.cmake "${PROJECT_BINARY_DIR}/bitlawConfigVersion.cmake"
        DESTINATION "${package_dir}")
install(EXPORT bitlaw FILE bitlawTargets.cmake NAMESPACE bitlaw:: DESTINATION "${package_dir}")
