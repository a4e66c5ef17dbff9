#pragma once

#include <string>
#include <vector>

#include "processing_service/allocations.h"
#include "processing_service/bags.h"
#include "tests/support/deciding.h"

namespace mtp::processing {

// A small Seeduwa in memory: a working set as it is after a load, on which
// decisions run as a command lane runs them.
class Seeduwa {
 public:
  Seeduwa() : rows(settings) {
    now = absl::FromUnixSeconds(1'800'000'000);
    for (const char* source :
         {"tealine", "herbline", "blendbalance", "blendsheet", "flavorsheet"}) {
      for (const char* target : {"blendsheet", "flavorsheet", "shipment"}) {
        rows.allocation_rules.Put({source, target, Allowed(source, target)});
      }
    }
    store = AddLocation("Store A", /*herb_section=*/false);
    herbs = AddLocation("Herbs 1", /*herb_section=*/true);
  }

  Uuid AddLocation(std::string name, bool herb_section) {
    const Uuid id = NewId();
    rows.locations.Put(
        {.location_id = id, .name = name, .herb_section = herb_section});
    return id;
  }

  Uuid AddItem(MaterialKind kind,
               std::optional<int64_t> bag_limit = std::nullopt,
               std::optional<int64_t> gram_limit = std::nullopt) {
    const Uuid id = NewId();
    rows.items.Put({.item_id = id,
                    .kind = kind,
                    .item_code = "T-1",
                    .bag_limit = bag_limit,
                    .gram_limit = gram_limit,
                    .invoice = "I-1",
                    .grade = "BOPF",
                    .garden = "Kenmare",
                    .name = "Lemongrass",
                    .blend_code = "BB12",
                    .transfer_id = "TR-1"});
    return id;
  }

  Uuid AddBatch(MaterialKind kind, v1::TraderState trader_state,
                int64_t opening_grams) {
    const Uuid id = NewId();
    rows.batches.Put({.batch_id = id,
                      .kind = kind,
                      .batch_number = 1,
                      .trader_state = trader_state,
                      .in_grams = opening_grams,
                      .opening_grams = opening_grams,
                      .out_tolerance_ppm = settings.batch_out_tolerance_ppm,
                      .recipe_number = "R-1",
                      .code = "BB12"});
    return id;
  }

  db::ShipmentKey AddShipment(int64_t request_code, int64_t quantity_grams) {
    rows.shipments.Put({.request_code = request_code,
                        .shipment_code = 1,
                        .product_name = "English Breakfast",
                        .quantity_grams = quantity_grams});
    return {request_code, 1};
  }

  // Runs a decision and, as a lane does, lets its changes stand or undoes them.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Run(
      absl::StatusOr<Response> (*decide)(const Request&, Context&, Rows&),
      const Request& request) {
    constexpr std::string_view kRequest = "Request";
    const std::string name = Request::descriptor()->name();
    const auto* file = Request::descriptor()->file();
    const tests::SilentCall call(file->service(0)->full_name(),
                                 name.substr(0, name.size() - kRequest.size()),
                                 role);
    Context context(call, NewId(), now);
    absl::StatusOr<Response> response = decide(request, context, rows);
    if (response.ok()) {
      rows.Keep();
      audit_entries += context.audit_entries().size();
      marks += context.marks().size();
    } else {
      rows.Undo();
    }
    return response;
  }

  // A receipt into the place where things of this source lie.
  v1::BagReceipt Receipt(const Uuid& source, int64_t net_grams) const {
    v1::BagReceipt receipt;
    const Item* item = rows.items.Find(source);
    if (item != nullptr) {
      receipt.set_item_id(source.ToString());
    } else {
      receipt.set_batch_id(source.ToString());
    }
    const bool herb =
        item != nullptr && item->kind == v1::MATERIAL_KIND_HERBLINE;
    receipt.set_location_id((herb ? herbs : store).ToString());
    receipt.set_gross_grams(net_grams + 500);
    receipt.set_tare_grams(500);
    return receipt;
  }
  absl::StatusOr<v1::Bag> Receive(const v1::BagReceipt& receipt) {
    v1::ReceiveBagRequest request;
    *request.mutable_receipt() = receipt;
    auto response = Run(DecideReceiveBag, request);
    if (!response.ok()) return response.status();
    return response->bag();
  }
  absl::StatusOr<v1::Bag> Receive(const Uuid& source, int64_t net_grams) {
    return Receive(Receipt(source, net_grams));
  }

  // What decisions read of bags' past, as the database tells it now; for a
  // decision after others that changed it.
  void LoadHistories() {
    for (const Bag* bag : rows.bags.All()) {
      BagHistory history{.barcode = bag->barcode};
      for (const BagDispatch& left : rows.bag_dispatches.appended()) {
        if (left.barcode == bag->barcode)
          history.dispatched_grams = left.remaining_grams;
      }
      for (const BagCorrection& correction : rows.bag_corrections.appended()) {
        if (correction.barcode == bag->barcode)
          history.last_correction = correction.correction_id;
      }
      rows.bag_histories.Put(history);
    }
    for (const Allocation* allocation : rows.allocations.All()) {
      const auto key = allocation->shipment();
      if (!key.has_value()) continue;
      LoadSent(*allocation, *key);
      if (!allocation->active()) continue;
      BagHistory history = *rows.bag_histories.Find(allocation->barcode);
      (rows.shipments.Find(*key)->dispatched ? history.left_grams
                                             : history.waiting_grams) +=
          allocation->grams;
      rows.bag_histories.Put(history);
    }
  }

  Uuid NewId() { return Uuid::V7(now); }

  Settings settings;
  Rows rows;
  absl::Time now;
  Uuid store;
  Uuid herbs;
  // Who calls.
  options::v1::Role role = options::v1::ROLE_SEEDUWA_OPERATOR;
  size_t audit_entries = 0;
  size_t marks = 0;

 private:
  void LoadSent(const Allocation& allocation, const db::ShipmentKey& key) {
    BagInShipment sent{.barcode = allocation.barcode,
                       .request_code = key.request_code,
                       .shipment_code = key.shipment_code};
    for (const Allocation* beside : rows.allocations.All()) {
      if (!beside->active() || beside->barcode != allocation.barcode ||
          beside->shipment() != key) {
        continue;
      }
      sent.grams += beside->grams;
      sent.parcelled_grams += beside->parcelled_grams;
    }
    int64_t bags = 0;
    for (const BagReturn& back : rows.bag_returns.appended()) {
      if (back.request_code != key.request_code ||
          back.shipment_code != key.shipment_code) {
        continue;
      }
      ++bags;
      if (back.barcode == allocation.barcode)
        sent.returned_grams += back.net_grams;
    }
    rows.bags_in_shipments.Put(sent);
    rows.sent_back.Put({.allocation_id = allocation.allocation_id,
                        .grams = sent.returned_grams});
    if (bags > 0) {
      rows.shipment_returns.Put({.request_code = key.request_code,
                                 .shipment_code = key.shipment_code,
                                 .bags = bags});
    }
  }

  static bool Allowed(std::string_view source, std::string_view target) {
    if (source == "tealine") return target != "flavorsheet";
    if (source == "herbline") return target == "flavorsheet";
    if (source == "blendbalance") return target == "blendsheet";
    if (source == "blendsheet") return target != "blendsheet";
    return target == "shipment";
  }
};

}  // namespace mtp::processing
