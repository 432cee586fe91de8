# Flags that every target of ours is built with; link `project_options` to get them.
add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  -fno-strict-aliasing)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(project_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fcoroutines>
    # g++ 12.2 takes the frames of lambda coroutines for memory of another allocator, and at -O2 sees overlapping
    # copies in std::string::operator=(const char*) (GCC bug 105651).
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete -Wno-restrict>)
endif()
if(WARNINGS_AS_ERRORS)
  target_compile_options(project_options INTERFACE -Werror)
endif()
if(SANITIZE)
  add_compile_options(-fsanitize=${SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

# add_layer(NAME SOURCES a.cpp b.cpp LINKS x y): one folder = one static library = one namespace.
function(add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC project_options ${ARG_LINKS})
endfunction()
