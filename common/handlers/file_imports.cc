#include "common/handlers/file_imports.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/db/params.h"

namespace mtp::handlers {

bool IsFileDigest(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

void ImportTurn::AddLoads(db::Exchange& exchange) {
  // The number is this lock's name, no more.
  static constexpr db::Statement kTakeTurn{
      "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))"};
  if (wanted_) exchange.Add(kTakeTurn, db::Params().Add(name_));
}

}  // namespace mtp::handlers

namespace mtp::errors {

absl::Status FileDigestInvalid() {
  return InvalidField("file_digest", "must be 64 hexadecimal digits");
}

absl::Status ImportTooLarge(int64_t row_count, int64_t row_limit) {
  return Make(absl::StatusCode::kResourceExhausted, "IMPORT_TOO_LARGE",
              absl::StrCat("the file has ", row_count,
                           " rows, an import takes ", row_limit, " at most"),
              {{"row_count", std::to_string(row_count)},
               {"row_limit", std::to_string(row_limit)}});
}

absl::Status ImportRunning(std::string_view things) {
  return Aborted(
      "IMPORT_RUNNING",
      absl::StrCat("another call is importing the same file or the same ",
                   std::string(things), "; try again"));
}

}  // namespace mtp::errors
