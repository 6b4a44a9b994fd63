# One place for the C++ standard, warnings, sanitizers and the flags that are part of the numeric contract.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

option(BITLAW_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
option(BITLAW_FUZZ "Build the libFuzzer targets; needs clang" OFF)

add_library(bitlaw_options INTERFACE)
target_include_directories(bitlaw_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(bitlaw_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror
  -ffp-contract=off  # a fused multiply-add happens only where the source says so: same bits from every compiler
  -fno-math-errno -fno-trapping-math  # change no value, only let loops with sqrt and comparisons be vectorised
)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns of overlapping copies inside std::string's own operator+ (GCC bug 105651).
  target_compile_options(bitlaw_options INTERFACE -Wno-restrict)
endif()
if(BITLAW_TESTS AND NOT BITLAW_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  # Code in which no time is spent (bitlaw_hardly_computes) compiles in two thirds of the time.
  target_compile_options(bitlaw_options INTERFACE $<$<BOOL:$<TARGET_PROPERTY:BITLAW_HARDLY_COMPUTES>>:-O1>)
endif()
if(BITLAW_SANITIZE)
  target_compile_options(bitlaw_options INTERFACE
    # What object-size finds the address sanitizer finds, too; without it a seventh less time to compile.
    -fsanitize=address,undefined -fno-sanitize=object-size -fno-sanitize-recover=all -fno-omit-frame-pointer
    # The build type's -O2 -g take twice as long to compile; lines of stack traces stay. Code in which no time is spent
    # (bitlaw_hardly_computes) takes the compiler half as long again without optimisation.
    $<IF:$<BOOL:$<TARGET_PROPERTY:BITLAW_HARDLY_COMPUTES>>,-O0,-O1> -g1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's manual (Instrumentation Options) warns of false ones under sanitizers; other builds keep it.
    target_compile_options(bitlaw_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  # Without position independence: the relocations of what the sanitizers note took half the time of every start.
  target_compile_options(bitlaw_options INTERFACE -fno-pie)
  target_link_options(bitlaw_options INTERFACE -fsanitize=address,undefined -no-pie)
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=gold BITLAW_HAS_GOLD)  # half the time for fifty programs of 200 MB
  if(BITLAW_HAS_GOLD)
    target_link_options(bitlaw_options INTERFACE -fuse-ld=gold)
  endif()
  # One vector instruction set besides the baseline is enough to find wrong accesses, and compiles in half the time; the
  # other builds compare all of them.
  target_compile_definitions(bitlaw_options INTERFACE
    "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3|HWY_AVX3_DL)")
endif()
if(BITLAW_FUZZ)
  target_compile_options(bitlaw_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# bitlaw_hardly_computes(target): it need not be optimised where that is not what a build is for.
function(bitlaw_hardly_computes target)
  set_target_properties(${target} PROPERTIES BITLAW_HARDLY_COMPUTES ON)
endfunction()

# bitlaw_layer(core USES fmt::fmt ...): a static library bitlaw::core; folders add their files with bitlaw_sources. The
# options above stay with us: who links an installed layer gets its headers, its libraries and C++20.
function(bitlaw_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_library(bitlaw_${name} STATIC ${ARG_SOURCES})
  add_library(bitlaw::${name} ALIAS bitlaw_${name})
  set_target_properties(bitlaw_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(bitlaw_${name} PUBLIC cxx_std_20)
  target_include_directories(bitlaw_${name} INTERFACE "$<INSTALL_INTERFACE:include/bitlaw>")
  target_link_libraries(bitlaw_${name} PUBLIC $<BUILD_INTERFACE:bitlaw_options> ${ARG_USES})
  if(BITLAW_PYTHON)
    # Python's extension module takes the layers as they are. Hidden symbols are called directly and inlined, as without.
    set_target_properties(bitlaw_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
  endif()
endfunction()

# bitlaw_sources(core round.cpp ...): adds files of the current folder to a layer.
function(bitlaw_sources layer)
  target_sources(bitlaw_${layer} PRIVATE ${ARGN})
  # Where files are compiled several at once (CMAKE_UNITY_BUILD), those that Highway compiles per instruction set are not.
  foreach(source ${ARGN})
    file(STRINGS "${source}" kernels REGEX "foreach_target.h" LIMIT_COUNT 1)
    if(kernels)
      set_source_files_properties("${CMAKE_CURRENT_SOURCE_DIR}/${source}" TARGET_DIRECTORY bitlaw_${layer}
                                  PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# bitlaw_test(core/format SOURCES round_test.cpp USES bitlaw::core LABELS fast): one doctest program, one ctest entry.
function(bitlaw_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LABELS" ${ARGN})
  string(REPLACE "/" "_" target "test_${name}")
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE bitlaw_doctest_main ${ARG_USES})
  target_compile_definitions(${target} PRIVATE BITLAW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(name MATCHES "^core/")  # whose tests compute references, by helpers that may be called the same
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  else()
    bitlaw_hardly_computes(${target})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)  # g++ 12 has false ones with -O1
    endif()
  endif()
  # tests/support/long_test.h
  add_test(NAME ${name} COMMAND ${target} $<$<BOOL:${BITLAW_SANITIZE}>:--test-suite-exclude=long>)
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 1200)
endfunction()
