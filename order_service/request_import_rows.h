#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/uuid.h"
#include "common/db/append_only.h"
#include "common/db/table.h"
#include "common/sync/audit.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "order_service/raw_rows.h"

// Files of an old system's open orders, and the requests that are made of them.
namespace mtp::order {

// One import of a file that was refused or brought something new.
struct RequestImport {
  Uuid import_id;
  std::string file_digest;  // 64 lower-case hexadecimal digits
  std::string file_name;
  bool stored = false;
  int64_t row_count = 0;
  int64_t created_request_count = 0;
  int64_t unchanged_request_count = 0;
  int64_t bad_row_count = 0;
  int64_t fault_count = 0;
  std::string imported_by;
  std::string imported_by_username;
  options::v1::Role imported_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time imported_at;
  std::string correlation_id;

  v1::RequestImport Shown() const;

  // What the queries select: "SELECT …" without FROM.
  static const std::string_view kSelect;
  static const db::Statement kInsert;
  static constexpr auto kLoaded = std::tuple(
      &RequestImport::import_id, &RequestImport::file_digest,
      &RequestImport::file_name, &RequestImport::stored,
      &RequestImport::row_count, &RequestImport::created_request_count,
      &RequestImport::unchanged_request_count, &RequestImport::bad_row_count,
      &RequestImport::fault_count, &RequestImport::imported_by,
      &RequestImport::imported_by_username, &RequestImport::imported_by_role,
      &RequestImport::imported_at, &RequestImport::correlation_id);
  static constexpr auto kInserted = kLoaded;
};

// A fault in a refused file.
struct RequestFault {
  Uuid import_id;
  int64_t fault_number = 0;  // from 1, in the order of the lines
  int64_t line = 0;
  std::string column_name;
  std::string value;
  v1::BadRowReason reason = v1::BAD_ROW_REASON_UNSPECIFIED;
  std::string message;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &RequestFault::import_id, &RequestFault::fault_number,
      &RequestFault::line, &RequestFault::column_name, &RequestFault::value,
      &RequestFault::reason, &RequestFault::message);
};

// A request that was taken over before, by its reference. Requests never change
// and imports take turns, so it needs no lock.
struct TakenOver {
  using Key = std::string;

  std::string reference;
  std::string order_code;
  std::string product_name;
  std::string item_code;
  int64_t requirement_grams = 0;
  bool special = false;
  std::string comments;
  absl::Time occurred_at;
  absl::Time created_at;

  Key key() const { return reference; }

  static const db::Statement kLoad;
  static constexpr auto kLoaded = std::tuple(
      &TakenOver::reference, &TakenOver::order_code, &TakenOver::product_name,
      &TakenOver::item_code, &TakenOver::requirement_grams, &TakenOver::special,
      &TakenOver::comments, &TakenOver::occurred_at, &TakenOver::created_at);
};

// A request that an import makes, with shipment 1 in ORDER_REQUESTED. Its texts
// are those of the call and of the working set's plans, for there may be a
// hundred thousand of them.
struct OpenRequest {
  int64_t request_code = 0;
  Uuid event_id;
  std::string_view reference;
  std::string_view order_code;
  std::string_view product_name;
  std::string_view item_code;
  std::string_view comments;
  int64_t grams = 0;
  bool planned = false;
  bool special = false;
  absl::Time occurred_at;
};

// The rows of the stored files.
struct RawRequestRows : RawRows<v1::OpenRequestRow> {
  explicit RawRequestRows(db::WorkingSet& set);
};

// The requests that a file brings: codes for those whose reference nobody took
// over before, and what is written of them. One statement writes a request, its
// shipment, event, audit entries and mark for Seeduwa out of the same arrays,
// some thousand requests at a time: the same through the tables of the working
// set would take half a gigabyte. Only for a call that is a batch by itself.
class OpenRequests : public db::Member {
 public:
  explicit OpenRequests(db::WorkingSet& set) : Member(set) {}

  // References of new requests, each once; those that are known get no code.
  // The texts stay where they are until the batch ends.
  void Want(std::vector<std::string_view> references) {
    wanted_ = std::move(references);
  }
  // The next code; at most as many as there are new references.
  int64_t TakeCode() { return codes_.at(taken_++); }

  // Makes the requests. `said` is the audit entry of the import; the mark for
  // the last of the requests is the caller's (Context::Tell).
  void Make(const RequestImport& import, const sync::AuditEntry& said,
            std::vector<OpenRequest> requests);

  const std::vector<OpenRequest>& made() const { return made_; }

  void AddLoads(db::Exchange& exchange) override;
  void TakeLoads(const db::Results& results, size_t& next) override;
  void AddStores(db::Exchange& exchange) override;
  void Keep() override { kept_ = true; }
  void Undo() override;
  void Clear() override;

  // For tests of decisions.
  void GiveCodes(std::vector<int64_t> codes) { codes_ = std::move(codes); }

 private:
  std::vector<std::string_view> wanted_;
  std::vector<int64_t> codes_;
  size_t taken_ = 0;
  bool kept_ = false;
  // Of the one call that makes requests.
  Uuid import_id_;
  absl::Time made_at_;
  sync::AuditEntry said_;
  std::vector<OpenRequest> made_;
};

}  // namespace mtp::order
