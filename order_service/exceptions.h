#pragma once

#include "order_service/rows.h"

// What this side finds that does not fit between the facts of both, and that a
// person must settle: who, and what they are told. `correlation_id` is of the
// call that made it so, on either side.
namespace mtp::order {

// Seeduwa dispatched what was cancelled here.
void OpenDispatchedAfterCancellation(const Shipment& shipment,
                                     const std::string& correlation_id,
                                     Context& context, Rows& rows);
// Seeduwa dispatched more than the quantity.
void OpenDispatchedMoreThanOrdered(const Shipment& shipment,
                                   const std::string& correlation_id,
                                   Context& context, Rows& rows);
// Seeduwa changed a dispatch, or took it back, that was accepted here before.
void OpenCorrectedAfterAcceptance(const Shipment& shipment,
                                  const std::string& correlation_id,
                                  Context& context, Rows& rows);
// What arrived is not what was dispatched.
void OpenAcceptedWithDifferences(const Shipment& shipment, int64_t missing_bags,
                                 int64_t damaged_bags, int64_t sent_back_bags,
                                 const std::string& correlation_id,
                                 Context& context, Rows& rows);
// Parcels were made or taken back after the schedule was completed.
void OpenParcelsAfterCompletion(const Schedule& schedule, int64_t grams_before,
                                const std::string& correlation_id,
                                Context& context, Rows& rows);

// After a restore: what Seeduwa still knows of a shipment, or of a schedule, is
// not what was done here since. `another`: its code was given twice.
void OpenContradicted(const Shipment& shipment,
                      const sync::v1::ShipmentState& known, bool another,
                      Context& context, Rows& rows);
void OpenContradicted(const Schedule& schedule,
                      const sync::v1::ScheduleState& known, Context& context,
                      Rows& rows);

// The exceptions of a shipment must be loaded to be shown.
void WantExceptions(const db::ShipmentKey& key, Rows& rows);
// The shipment with its open exceptions.
v1::Shipment ShownWithExceptions(const Shipment& shipment, const Rows& rows);

}  // namespace mtp::order
