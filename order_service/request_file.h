#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "google/protobuf/repeated_field.h"
#include "order_service/rows.h"

// What the rows of a file of open orders say: the requests, or what is wrong
// with them.
namespace mtp::order {

using OpenRequestRows = google::protobuf::RepeatedPtrField<v1::OpenRequestRow>;

// A request as a file has it. Texts are those of the file's rows and of the
// plans in the working set.
struct FileRequest {
  std::string_view reference;
  std::string_view order_code;
  std::string_view product_name;
  std::string_view item_code;
  std::string_view comments;
  int64_t grams = 0;
  std::optional<absl::CivilDay> requested_on;  // none: today
  bool special = false;
  const Plan* plan = nullptr;  // none: nothing is planned under the order code
};

struct RequestFile {
  // Those that nobody took over before, by line; empty when there are faults.
  std::vector<FileRequest> fresh;
  int64_t unchanged_count = 0;
  // By line, within it in the order of the columns.
  std::vector<v1::BadRow> faults;
  int64_t bad_row_count = 0;
};

// Asks for what the judgement looks at, and, if no row is wrong by itself and
// the file is to be stored, for codes of the requests to come.
void WantRequestFile(const OpenRequestRows& file, bool validate_only,
                     Rows& rows);

// Judges every row by itself, against the rows before it, against its plan and
// against what was taken over before. The order of the rows makes no
// difference, that of their lines does.
RequestFile JudgeRequestFile(const OpenRequestRows& file, const Rows& rows,
                             absl::CivilDay today);

}  // namespace mtp::order
