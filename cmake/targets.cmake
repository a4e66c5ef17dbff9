# How this project's own libraries and programs are declared: sources by folder, warnings as errors,
# one precompiled header for all. A new file in a folder is picked up by itself.

# Designated initializers leave the rest to its defaults on purpose.
set(MTP_WARNINGS -Wall -Wextra -Wno-missing-field-initializers -Werror)

# What nearly every file includes anyway: parsed once instead of in each.
add_library(mtp_precompiled STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
target_precompile_headers(mtp_precompiled PRIVATE
  <algorithm> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional>
  <set> <span> <string> <string_view> <thread> <unordered_map> <utility> <vector>
  <absl/container/flat_hash_map.h> <absl/status/status.h> <absl/status/statusor.h>
  <absl/strings/str_cat.h> <absl/strings/str_format.h> <absl/time/time.h>
  <google/protobuf/descriptor.h> <google/protobuf/message.h> <grpcpp/grpcpp.h>)
target_compile_options(mtp_precompiled PRIVATE ${MTP_WARNINGS})
target_link_libraries(mtp_precompiled PUBLIC
  gRPC::grpc++ protobuf::libprotobuf absl::flat_hash_map absl::statusor absl::str_format absl::time)

function(mtp_own_code target)
  target_compile_options(${target} PRIVATE ${MTP_WARNINGS})
  target_compile_definitions(${target} PRIVATE MTP_VERSION="${PROJECT_VERSION}")
  target_precompile_headers(${target} REUSE_FROM mtp_precompiled)
endfunction()

# mtp_library(NAME FOLDER [ALSO subfolder...] [EXCEPT file...] [LINK library...]): a static library of FOLDER/*.cc.
# A folder without sources makes a library of headers.
function(mtp_library name folder)
  cmake_parse_arguments(ARG "" "" "ALSO;EXCEPT;LINK" ${ARGN})
  list(TRANSFORM ARG_ALSO PREPEND ${folder}/)
  list(TRANSFORM ARG_ALSO APPEND /*.cc)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc ${ARG_ALSO})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  foreach(file ${ARG_EXCEPT})
    list(REMOVE_ITEM sources ${folder}/${file})
  endforeach()
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
    mtp_own_code(${name})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

# mtp_program(NAME SOURCES file... LINK library...): a program in build/<preset>/bin, if its sources are there.
function(mtp_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  set(sources)
  foreach(file ${ARG_SOURCES})
    if(EXISTS ${file})
      list(APPEND sources ${file})
    endif()
  endforeach()
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  mtp_own_code(${name})
endfunction()
