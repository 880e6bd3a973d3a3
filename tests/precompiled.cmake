# Builds under a sanitizer, and for the fuzzers, read the headers of the standard library and of
# GoogleTest once, not once a source: a tenth to a quarter of what each of them takes. The plain build does without, so
# that a source that lacks an include is seen there.
file(TOUCH ${CMAKE_BINARY_DIR}/precompiled.cc)
add_library(precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
target_precompile_headers(precompiled PRIVATE
  <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <cstring> <deque> <expected>
  <filesystem> <fstream> <functional> <list> <map> <memory> <mutex> <optional> <random> <set> <span>
  <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)

# One of its own: the tests are compiled with other options (tests/CMakeLists.txt).
add_library(precompiled_tests OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
target_compile_options(precompiled_tests PRIVATE -O0 -g1)
target_compile_definitions(precompiled_tests PRIVATE GTEST_HAS_PTHREAD=1)
target_precompile_headers(precompiled_tests PRIVATE
  <algorithm> <array> <atomic> <chrono> <cstdint> <cstring> <filesystem> <fstream> <functional>
  <map> <memory> <mutex> <optional> <random> <set> <span> <string> <string_view> <thread>
  <unordered_map> <utility> <vector>
  <gmock/gmock.h> <gtest/gtest.h>)

# Whatever is built below a directory uses them, by the options it is compiled with.
function(weir_use_precompiled directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(options ${target} COMPILE_OPTIONS)
    if(NOT type MATCHES "STATIC_LIBRARY|EXECUTABLE" OR options MATCHES "sanitize=fuzzer,")
      continue()
    endif()
    set(from precompiled)
    if(options MATCHES "-O0")
      set(from precompiled_tests)
    endif()
    target_precompile_headers(${target} REUSE_FROM ${from})
  endforeach()
  get_property(below DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(one IN LISTS below)
    weir_use_precompiled(${one})
  endforeach()
endfunction()

weir_use_precompiled(${CMAKE_SOURCE_DIR})
