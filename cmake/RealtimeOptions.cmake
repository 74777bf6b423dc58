# Language level, warnings and sanitizers: one place, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
# An installed tool finds its library beside it, wherever the prefix is moved.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(RT_BUILD_TESTS "Build the tests" ON)
option(RT_BUILD_EXAMPLES "Build the programs in examples/ (the tests need them)" OFF)
option(RT_BUILD_FUZZERS "Build the libFuzzer targets (clang only)" OFF)
option(RT_WARNINGS_AS_ERRORS "Turn warnings into errors (the presets do; packagers need not)" OFF)
set(RT_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")

add_library(rt_options INTERFACE)
target_compile_options(rt_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wimplicit-fallthrough
  -fno-semantic-interposition)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlaps that are not there in inlined std::string code (GCC bug 105651).
  target_compile_options(rt_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(RT_WARNINGS_AS_ERRORS)
  target_compile_options(rt_options INTERFACE -Werror)
endif()
if(RT_SANITIZE)
  target_compile_options(rt_options INTERFACE
    -fsanitize=${RT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(rt_options INTERFACE -fsanitize=${RT_SANITIZE})
endif()

# Compiler cache and a faster linker are used when found, never required.
find_program(RT_CCACHE ccache)
if(RT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${RT_CCACHE}")
endif()
