#pragma once

#include <string>

#include "cli/fields.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"

// What people read of the order side's things. Every text ends with a line
// feed.
namespace mtp::cli {

std::string PlansText(const Many<order::v1::Plan>& plans);
std::string PlanText(const order::v1::Plan& plan);
std::string KeptPlansText(const Many<order::v1::KeptPlan>& plans);
std::string ImportText(const order::v1::ImportPlansResponse& import);
std::string PlanImportsText(const Many<order::v1::PlanImport>& imports);
// An import with the part of it that was asked for.
std::string PlanImportText(const order::v1::GetPlanImportResponse& import);
std::string RequestImportsText(const Many<order::v1::RequestImport>& imports);
std::string RequestImportText(
    const order::v1::GetRequestImportResponse& import);
std::string OpenRequestsText(
    const order::v1::ImportOpenRequestsResponse& import);

// A line for each shipment of each request.
std::string RequestsText(const Many<order::v1::OrderRequest>& requests);
std::string RequestText(const order::v1::OrderRequest& request);

std::string ShipmentsText(const Many<order::v1::Shipment>& shipments);
std::string ShipmentText(const order::v1::Shipment& shipment);
std::string EventsText(const Many<order::v1::ShipmentEvent>& events);

std::string SchedulesText(const Many<order::v1::Schedule>& schedules);
std::string ScheduleText(const order::v1::Schedule& schedule);

}  // namespace mtp::cli
