# Writes what was built into a header, when it changed: the commit, `+` behind it if files differ from it, and the
# SHA-256 of the contract. Run as a script before every build: cmake -D SOURCE=… -D HEADER=… -P build_info.cmake
set(revision "")
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE
                ERROR_QUIET RESULT_VARIABLE failed)
if(NOT failed)
  execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no OUTPUT_VARIABLE changed ERROR_QUIET)
  if(changed)
    string(APPEND revision "+")
  endif()
endif()

file(GLOB_RECURSE protos RELATIVE ${SOURCE}/proto ${SOURCE}/proto/*.proto)
list(SORT protos)
set(contract "")
foreach(proto ${protos})
  file(SHA256 ${SOURCE}/proto/${proto} digest)
  string(APPEND contract "${digest} ${proto}\n")
endforeach()
string(SHA256 contract "${contract}")

file(CONFIGURE OUTPUT ${HEADER} CONTENT "#pragma once

namespace mtp {

inline constexpr char kSourceRevision[] = \"${revision}\";
inline constexpr char kContractDigest[] = \"${contract}\";

}  // namespace mtp
")
