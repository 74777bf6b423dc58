# The consumer's whole build file; installed_test.cmake copies it as CMakeLists.txt.
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(realtime 0.1 REQUIRED)
add_executable(consumer consumer.cc)
target_link_libraries(consumer PRIVATE realtime::realtime)
