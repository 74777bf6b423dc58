# Installs into a fresh prefix and builds consumer.cc against it, with pkg-config and with find_package.
# cmake -DBUILD=<build folder> -DWORK=<scratch folder> -DCXX=<compiler> -P installed_test.cmake
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed (${status}): ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/source")
set(prefix "${WORK}/prefix")
run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${prefix}")
file(GLOB_RECURSE pc "${prefix}/librealtime.pc")
get_filename_component(pc_folder "${pc}" DIRECTORY)
get_filename_component(lib_folder "${pc_folder}" DIRECTORY)
set(expected "000000014D7E3B28-00000002 1.5s")
set(ENV{LD_LIBRARY_PATH} "${lib_folder}")

set(ENV{PKG_CONFIG_PATH} "${pc_folder}")
run(pkg-config --cflags --libs librealtime)
separate_arguments(flags UNIX_COMMAND "${output}")
run(${CXX} "${CMAKE_CURRENT_LIST_DIR}/consumer.cc" -o "${WORK}/with-pkg-config" ${flags})
run("${WORK}/with-pkg-config")
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "pkg-config consumer printed \"${output}\"")
endif()

file(COPY "${CMAKE_CURRENT_LIST_DIR}/consumer.cc" DESTINATION "${WORK}/source")
configure_file("${CMAKE_CURRENT_LIST_DIR}/consumer.cmake" "${WORK}/source/CMakeLists.txt" COPYONLY)
run(${CMAKE_COMMAND} -S "${WORK}/source" -B "${WORK}/build" -G Ninja "-DCMAKE_PREFIX_PATH=${prefix}"
    "-DCMAKE_CXX_COMPILER=${CXX}" -DCMAKE_BUILD_TYPE=Debug)
run(${CMAKE_COMMAND} --build "${WORK}/build")
run("${WORK}/build/consumer")
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "find_package consumer printed \"${output}\"")
endif()

# Man pages and completions are where their readers look for them.
foreach(tool rtctl rtreplay rtbench)
  foreach(file man/man1/${tool}.1 bash-completion/completions/${tool} zsh/site-functions/_${tool}
               fish/vendor_completions.d/${tool}.fish)
    file(READ "${prefix}/share/${file}" content)
    if(NOT content MATCHES "${tool}")
      message(FATAL_ERROR "${file} does not speak of ${tool}")
    endif()
  endforeach()
endforeach()

# An installed tool finds its library without help, wherever the prefix was moved to.
file(RENAME "${prefix}" "${WORK}/moved")
set(ENV{LD_LIBRARY_PATH} "")
run("${WORK}/moved/bin/rtctl" --version)
