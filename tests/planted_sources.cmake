# mtp_planted_sources(TOP VARIABLE): the sources of the services that use test points, relative to TOP. A header may
# not: its inline functions would be compiled both ways in one program.
function(mtp_planted_sources top variable)
  file(GLOB files RELATIVE ${top} ${top}/common/*/*.cc ${top}/common/*/*.h
       ${top}/order_service/*.cc ${top}/order_service/*.h ${top}/processing_service/*.cc ${top}/processing_service/*.h)
  set(found)
  foreach(file ${files})
    file(STRINGS ${top}/${file} includes REGEX "^#include \"common/base/test_points\\.h\"")
    if(NOT includes)
      continue()
    endif()
    if(file MATCHES "\\.h$" OR file MATCHES "/main\\.cc$")
      message(FATAL_ERROR "${file} includes test_points.h: only sources of libraries may")
    endif()
    list(APPEND found ${file})
  endforeach()
  list(SORT found)
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# As a script: whether LIST still names them all; if not, the next build configures anew.
if(CMAKE_SCRIPT_MODE_FILE)
  mtp_planted_sources(${SOURCE} now)
  file(READ ${LIST} known)
  string(STRIP "${known}" known)
  if(NOT "${now}" STREQUAL "${known}")
    file(TOUCH ${LIST})
    message(FATAL_ERROR "other sources use test points than when this was configured: build again\n"
                        "now:  ${now}\nthen: ${known}")
  endif()
endif()
