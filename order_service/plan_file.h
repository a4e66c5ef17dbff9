#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "google/protobuf/repeated_field.h"
#include "mtp/order/v1/plans.pb.h"

// What the rows of a planning file say: the plans, or what is wrong with them.
namespace mtp::order {

// A plan as a file has it.
struct FilePlan {
  std::string order_code;
  std::string item_code;  // the stem of its rows' item codes
  std::string product_name;
  int64_t requirement_grams = 0;
  absl::CivilDay plan_start;
  absl::CivilDay plan_end;
  int64_t line = 0;  // the first of its rows

  bool operator==(const FilePlan&) const = default;
};

struct FileFault {
  v1::BadRow told;
  std::string order_code;  // as the row has it, without white space around it
};

struct PlanFile {
  // Different order codes, also when there are faults.
  int64_t plan_count = 0;
  // By order code; empty when there are faults.
  std::vector<FilePlan> plans;
  // By line, within it in the order of the columns.
  std::vector<FileFault> faults;
  int64_t bad_row_count = 0;
};

using PlanRows = google::protobuf::RepeatedPtrField<v1::PlanRow>;

// Judges every row by itself and all rows of one order together. Where rows
// of an order disagree, those in the minority are told, or the later ones when
// as many say this as that. The order of the rows makes no difference.
PlanFile JudgePlanFile(const PlanRows& rows);

// The code without the suffix `-NN` of a packaging row.
std::string_view StemOf(std::string_view item_code);

}  // namespace mtp::order
