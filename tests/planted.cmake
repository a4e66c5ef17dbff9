# order_service_planted and processing_service_planted: the services once more, with what
# common/base/test_points.h declares. For tests only; no file of what is shipped is touched by them.
#
# The sources that use test points are compiled a second time and handed to the linker as objects, so that it needs
# none of the same sources out of the libraries.

option(MTP_TEST_POINTS "Build the services a second time, with bugs and crash points that tests switch on" ON)
if(NOT MTP_TEST_POINTS OR MTP_SANITIZERS STREQUAL "thread")
  return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/planted_sources.cmake)
set(list ${CMAKE_BINARY_DIR}/planted_sources.txt)
mtp_planted_sources(${PROJECT_SOURCE_DIR} sources)
file(CONFIGURE OUTPUT ${list} CONTENT "${sources}\n" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})

function(mtp_planted_sources_of folder variable)
  list(FILTER sources INCLUDE REGEX "^${folder}/")
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/)
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

mtp_planted_sources_of(common common_sources)
add_library(planted_common OBJECT ${common_sources})
target_link_libraries(planted_common PRIVATE mtp_host)
target_compile_definitions(planted_common PRIVATE MTP_TEST_POINTS)
mtp_own_code(planted_common)

foreach(service order_service processing_service)
  mtp_planted_sources_of(${service} own_sources)
  add_executable(${service}_planted
    ${PROJECT_SOURCE_DIR}/${service}/main.cc ${own_sources} $<TARGET_OBJECTS:planted_common>)
  target_link_libraries(${service}_planted PRIVATE ${service}_lib mtp_host)
  target_compile_definitions(${service}_planted PRIVATE MTP_TEST_POINTS)
  mtp_own_code(${service}_planted)
  # A source that uses test points since the last configuration would be linked without them.
  add_custom_command(TARGET ${service}_planted PRE_LINK
    COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR} -D LIST=${list}
            -P ${CMAKE_CURRENT_LIST_DIR}/planted_sources.cmake
    VERBATIM)
  # What is shipped has none of it, and what is planted has all of it.
  add_test(NAME ${service}_has_no_test_points
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/no_test_points
            $<TARGET_FILE:${service}> $<TARGET_FILE:${service}_planted> ${PROJECT_SOURCE_DIR}/common/base/test_points.h)
endforeach()
