#pragma once

#include <string>

#include "common/db/table.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/order/v1/requests.pb.h"

namespace mtp::order {

// A quantity asked for under an order code; its shipments carry what becomes of
// it.
struct OrderRequest {
  using Key = int64_t;

  int64_t request_code = 0;
  std::string order_code;
  bool planned = false;  // there was a plan when it was made
  std::string product_name;
  std::string item_code;
  int64_t requirement_grams = 0;
  std::string comments;
  bool special = false;   // beyond what the plan allowed, or without a plan
  std::string reference;  // the old system's key
  int64_t next_shipment_code = 2;
  bool recovered = false;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  absl::Time occurred_at;

  Key key() const { return request_code; }
  // The plan it counts against: ordinary requests do.
  bool CountsAgainstPlan() const { return planned && !special; }
  // All but its shipments and their events.
  v1::OrderRequest Shown() const;

  // What kLoad and the queries select: "SELECT …" without FROM; the table is
  // `order_request`.
  static const std::string_view kSelect;
  static const db::Statement kLoad;  // FOR UPDATE
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static const db::Statement kTakeCodes;  // $1 new request codes
  static constexpr auto kLoaded = std::tuple(
      &OrderRequest::request_code, &OrderRequest::order_code,
      &OrderRequest::planned, &OrderRequest::product_name,
      &OrderRequest::item_code, &OrderRequest::requirement_grams,
      &OrderRequest::comments, &OrderRequest::special, &OrderRequest::reference,
      &OrderRequest::next_shipment_code, &OrderRequest::recovered,
      &OrderRequest::created_by, &OrderRequest::created_by_username,
      &OrderRequest::created_by_role, &OrderRequest::created_at,
      &OrderRequest::occurred_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated = std::tuple(
      &OrderRequest::request_code, &OrderRequest::next_shipment_code);
};

}  // namespace mtp::order
