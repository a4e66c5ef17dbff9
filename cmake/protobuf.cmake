# mtp_protobuf(TARGET ROOT file...): compiles .proto files to messages (no service stubs: the services are
# built from the linked descriptors) into library TARGET. Files are named relative to ROOT.
function(mtp_protobuf target root)
  set(out ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})
  set(generated)
  foreach(file ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    add_custom_command(
      OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
      COMMAND protobuf::protoc -I ${root} --cpp_out ${out} --dependency_out ${out}/${stem}.d ${root}/${file}
      DEPENDS ${root}/${file}
      DEPFILE ${out}/${stem}.d
      COMMENT "protoc ${file}"
      VERBATIM)
    list(APPEND generated ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
  endforeach()
  add_library(${target} STATIC ${generated})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  # Nobody reads this code and its speed is bounded by memory: what counts is that it compiles soon.
  target_compile_options(${target} PRIVATE -O1 -g0 -w)
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
endfunction()
