#include "common/host/schema.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"

namespace mtp::host {
namespace {

constexpr db::Statement kDeployed{R"(
  SELECT wanted.project,
         (SELECT count(*) FROM sqitch.changes WHERE project = wanted.project),
         coalesce((SELECT change FROM sqitch.changes WHERE project = wanted.project
                   ORDER BY committed_at DESC LIMIT 1), 'nothing')
  FROM unnest($1::text[]) AS wanted (project)
)"};

constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kInvalidSchema = "3F000";

std::string Names(const std::vector<SchemaProject>& projects) {
  return absl::StrJoin(projects, ", ",
                       [](std::string* out, const SchemaProject& p) {
                         absl::StrAppend(out, p.Text());
                       });
}

}  // namespace

std::string SchemaProject::Text() const {
  return absl::StrCat(project, " ", change_count, ":", last_change);
}

absl::Status CheckSchema(db::Connection& connection,
                         const std::vector<SchemaProject>& needed) {
  absl::StatusOr<db::Result> result = connection.Run(
      kDeployed, db::Params().Array(needed, &SchemaProject::project));
  if (!result.ok()) {
    const std::string state = db::SqlState(result.status());
    if (state != kUndefinedTable && state != kInvalidSchema)
      return result.status();
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has no schema yet; this service needs ", Names(needed)));
  }
  std::vector<SchemaProject> deployed;
  for (const db::Row row : *result) {
    SchemaProject& project = deployed.emplace_back();
    row.Into(project.project, project.change_count, project.last_change);
  }
  for (const SchemaProject& want : needed) {
    for (const SchemaProject& have : deployed) {
      if (have.project != want.project || have.Text() == want.Text()) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("the database has the schema ", Names(deployed),
                       "; this service needs ", Names(needed),
                       ". Whichever is older must follow: deploy/local/migrate "
                       "brings a database forward, make build a service"));
    }
  }
  return absl::OkStatus();
}

}  // namespace mtp::host
