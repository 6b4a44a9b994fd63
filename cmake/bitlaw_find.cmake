# bitlaw_find(hwy hwy::hwy hwy/highway.h hwy): a package's own CMake file where it has one (Debian 12), else the header
# and the library where the system keeps them (older distributions).
function(bitlaw_find package target header library)
  if(TARGET ${target})
    return()
  endif()
  find_package(${package} CONFIG QUIET)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
    return()
  endif()
  find_path(${package}_INCLUDE_DIR ${header} REQUIRED)
  find_library(${package}_LIBRARY ${library} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${${package}_LIBRARY}"
                                             INTERFACE_INCLUDE_DIRECTORIES "${${package}_INCLUDE_DIR}")
endfunction()
