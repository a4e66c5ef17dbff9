#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "order_service/raw_rows.h"

namespace mtp::order {

// What is to be produced under one order code, and how much of it was asked
// for.
struct Plan {
  using Key = std::string;

  std::string order_code;
  std::string item_code;
  std::string product_name;
  int64_t requirement_grams = 0;
  // The ordinary shipments that are not cancelled.
  int64_t requested_grams = 0;
  // What requests that were taken over, or taken back after a restore, ask
  // beyond the requirement.
  int64_t excess_grams = 0;
  absl::CivilDay plan_start;
  absl::CivilDay plan_end;
  Uuid import_id;
  int64_t version = 1;  // raised by an import that changes the plan
  absl::Time created_at;
  absl::Time changed_at;

  Key key() const { return order_code; }
  std::string etag() const { return std::to_string(version); }
  // What can still be requested without approval.
  int64_t AllowedGrams() const;
  // All but what its requests say: count, codes, special grams.
  v1::Plan Shown() const;

  static const db::Statement kLoad;  // by order code, FOR UPDATE
  static const db::Statement
      kLoadOfRequest;  // by request code, of planned ones
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Plan::order_code, &Plan::item_code, &Plan::product_name,
      &Plan::requirement_grams, &Plan::requested_grams, &Plan::excess_grams,
      &Plan::plan_start, &Plan::plan_end, &Plan::import_id, &Plan::version,
      &Plan::created_at, &Plan::changed_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated =
      std::tuple(&Plan::order_code, &Plan::item_code, &Plan::product_name,
                 &Plan::requirement_grams, &Plan::requested_grams,
                 &Plan::excess_grams, &Plan::plan_start, &Plan::plan_end,
                 &Plan::import_id, &Plan::version, &Plan::changed_at);
};

// How many requests name a plan's order code, whatever became of them. Read
// when the plan is locked already, so that none is missed.
struct PlanUse {
  using Key = std::string;

  std::string order_code;
  int64_t request_count = 0;
  // Ordinary ones that a restore brought back without their plan.
  int64_t orphan_count = 0;

  Key key() const { return order_code; }

  static const db::Statement kLoad;
  static constexpr auto kLoaded = std::tuple(
      &PlanUse::order_code, &PlanUse::request_count, &PlanUse::orphan_count);
};

// A plan that a restore had lost, imported again: it counts its requests that a
// restore brought back. Behind the plan's own row.
struct PlanReturn {
  std::string order_code;

  static const db::Statement kInsert;  // an UPDATE of these requests
  static constexpr auto kInserted = std::tuple(&PlanReturn::order_code);
};
// Its sums, behind that: of what others have done until its requests were
// locked.
struct PlanReturnSums {
  std::string order_code;

  static const db::Statement kInsert;  // an UPDATE of the plan
  static constexpr auto kInserted = std::tuple(&PlanReturnSums::order_code);
};

// Plans that are deleted. Calls that delete one are not batched with others,
// for the plan's row stays in the working set.
class PlanRemovals : public db::Member {
 public:
  explicit PlanRemovals(db::WorkingSet& set) : Member(set) {}

  void Remove(std::string order_code) {
    order_codes_.push_back(std::move(order_code));
  }
  const std::vector<std::string>& order_codes() const { return order_codes_; }

  void AddLoads(db::Exchange&) override {}
  void TakeLoads(const db::Results&, size_t&) override {}
  void AddStores(db::Exchange& exchange) override;
  void Keep() override { kept_ = order_codes_.size(); }
  void Undo() override { order_codes_.resize(kept_); }
  void Clear() override {
    order_codes_.clear();
    kept_ = 0;
  }

 private:
  std::vector<std::string> order_codes_;
  size_t kept_ = 0;
};

// One import of a planning file. Those that were stored are known by the digest
// of their file.
struct PlanImport {
  using Key = std::string;

  std::string file_digest;  // 64 lower-case hexadecimal digits
  Uuid import_id;
  std::string file_name;
  bool stored = false;
  int64_t row_count = 0;
  int64_t plan_count = 0;
  int64_t created_plan_count = 0;
  int64_t updated_plan_count = 0;
  int64_t unchanged_plan_count = 0;
  int64_t kept_plan_count = 0;
  int64_t bad_row_count = 0;
  int64_t fault_count = 0;
  std::string imported_by;
  std::string imported_by_username;
  options::v1::Role imported_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time imported_at;
  std::string correlation_id;

  Key key() const { return file_digest; }
  v1::PlanImport Shown() const;

  // What kLoad and the queries select: "SELECT …" without FROM.
  static const std::string_view kSelect;
  static const db::Statement kLoad;  // stored ones, by digest
  static const db::Statement kInsert;
  static constexpr auto kLoaded = std::tuple(
      &PlanImport::file_digest, &PlanImport::import_id, &PlanImport::file_name,
      &PlanImport::stored, &PlanImport::row_count, &PlanImport::plan_count,
      &PlanImport::created_plan_count, &PlanImport::updated_plan_count,
      &PlanImport::unchanged_plan_count, &PlanImport::kept_plan_count,
      &PlanImport::bad_row_count, &PlanImport::fault_count,
      &PlanImport::imported_by, &PlanImport::imported_by_username,
      &PlanImport::imported_by_role, &PlanImport::imported_at,
      &PlanImport::correlation_id);
  static constexpr auto kInserted = kLoaded;
};

// A row of a stored planning file as it came.
struct RawPlanRow {
  Uuid import_id;
  int64_t line = 0;
  std::string lot_code;
  std::string order_code;
  std::string item_code;
  std::string production_date;
  std::string stock;
  std::string requirement;
  std::string location;
  std::string product_code;
  std::string product_name;
  std::string item_name;
  std::string sub_location;
  std::string plan_start;
  std::string plan_end;

  v1::PlanRow Shown() const;

  static constexpr auto kLoaded = std::tuple(
      &RawPlanRow::import_id, &RawPlanRow::line, &RawPlanRow::lot_code,
      &RawPlanRow::order_code, &RawPlanRow::item_code,
      &RawPlanRow::production_date, &RawPlanRow::stock,
      &RawPlanRow::requirement, &RawPlanRow::location,
      &RawPlanRow::product_code, &RawPlanRow::product_name,
      &RawPlanRow::item_name, &RawPlanRow::sub_location,
      &RawPlanRow::plan_start, &RawPlanRow::plan_end);
};

// The rows of the stored files, as they are written.
struct RawPlanRows : RawRows<v1::PlanRow> {
  explicit RawPlanRows(db::WorkingSet& set);
};

// A fault in a refused planning file.
struct PlanFault {
  Uuid import_id;
  int64_t fault_number = 0;  // from 1, in the order of the lines
  int64_t line = 0;
  std::string order_code;  // as the row has it
  std::string column_name;
  std::string value;
  v1::BadRowReason reason = v1::BAD_ROW_REASON_UNSPECIFIED;
  std::string message;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &PlanFault::import_id, &PlanFault::fault_number, &PlanFault::line,
      &PlanFault::order_code, &PlanFault::column_name, &PlanFault::value,
      &PlanFault::reason, &PlanFault::message);
};

// A plan that a file would have changed, but that has requests.
struct KeptPlan {
  Uuid import_id;
  std::string order_code;
  int64_t line = 0;
  std::string differences;  // a JSON array of field, kept_value, file_value

  static KeptPlan Of(const v1::KeptPlan& kept, const Uuid& import_id);

  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&KeptPlan::import_id, &KeptPlan::order_code, &KeptPlan::line,
                 &KeptPlan::differences);
};

}  // namespace mtp::order
