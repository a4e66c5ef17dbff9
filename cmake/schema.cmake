# mtp_schema_versions(HEADER project...): writes what each sqitch plan has now (how many changes, the last
# one's name) into a header, so that a service knows which schema it was built for.
function(mtp_schema_versions header)
  set(entries)
  foreach(project ${ARGN})
    set(plan ${PROJECT_SOURCE_DIR}/sql/${project}/sqitch.plan)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${plan})
    file(STRINGS ${plan} changes REGEX "^[a-z_]+ ")
    list(LENGTH changes count)
    list(GET changes -1 last)
    string(REGEX MATCH "^[a-z_]+" last ${last})
    string(APPEND entries "inline constexpr SchemaPlan k_${project}{\"${project}\", ${count}, \"${last}\"};\n")
  endforeach()
  file(CONFIGURE OUTPUT ${header} CONTENT "#pragma once

namespace mtp::schema {

struct SchemaPlan {
  const char* project;
  long change_count;
  const char* last_change;
};

${entries}
}  // namespace mtp::schema
")
endfunction()
