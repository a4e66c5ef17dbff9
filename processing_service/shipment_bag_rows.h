#pragma once

#include "common/db/keys.h"
#include "common/db/table.h"

// What is found by a shipment: the bags in it, what they are allocated to, what
// came back of it.
namespace mtp::processing {

// A shipment that may have to give allocations back, because no more than so
// much of it is wanted any more.
struct ShipmentCut {
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  int64_t wanted_grams = 0;

  auto Columns() const {
    return std::tuple(request_code, shipment_code, wanted_grams);
  }
  auto operator<=>(const ShipmentCut&) const = default;
};

// The batches of the bags in a shipment; their decisions stay as they are while
// it leaves.
extern const db::Statement kLockBatchesShipped;
extern const db::Statement kLoadBatchesShipped;
// Bags with an active allocation to a shipment; only read.
extern const db::Statement kLoadBagsShipped;
// The active allocations to shipments that have not left and have more than is
// wanted.
extern const db::Statement kLoadAllocationsCut;
// All active allocations of the bags of a shipment, wherever they went.
extern const db::Statement kLoadAllocationsOfBagsShipped;
// The active allocations of one bag to one shipment, by the id of one of them.
extern const db::Statement kLoadAllocationsBeside;
// The allocations that parcels are of, by parcel_id, and their bags, which a
// parcel does not change and so does not lock.
extern const db::Statement kLoadAllocationsParcelled;
extern const db::Statement kLoadBagsParcelled;

// Whether another shipment that has something of the same bags has left; only
// read, under the locks of the bags.
struct ShipmentLeft {
  using Key = db::ShipmentKey;
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  bool dispatched = false;

  Key key() const { return {request_code, shipment_code}; }
  static const db::Statement kLoad;
  static const db::Statement kLoadBeside;  // by a shipment that shares bags
  static constexpr auto kLoaded =
      std::tuple(&ShipmentLeft::request_code, &ShipmentLeft::shipment_code,
                 &ShipmentLeft::dispatched);
};

// How many bags of a shipment came back; only read.
struct ShipmentReturns {
  using Key = db::ShipmentKey;
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  int64_t bags = 0;

  Key key() const { return {request_code, shipment_code}; }
  static const db::Statement kLoad;
  static constexpr auto kLoaded =
      std::tuple(&ShipmentReturns::request_code,
                 &ShipmentReturns::shipment_code, &ShipmentReturns::bags);
};

}  // namespace mtp::processing
