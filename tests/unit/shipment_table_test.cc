#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "mtp/options/v1/options.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::tests {
namespace {

using namespace options::v1;  // the roles

// The right half of the table of a shipment's states (docs): who says a step,
// and what must be said with it. Its left half, from where to where, is in
// shipments_test.cc.
struct Said {
  const char* method;
  std::set<Role> by;
  std::set<std::string> needs;
};

const std::vector<Said> kTable = {
    {"mtp.order.v1.RequestService.CreateRequest",
     {ROLE_GRANDPASS_OFFICER},
     {"request"}},
    {"mtp.order.v1.RequestService.BatchCreateRequests",
     {ROLE_GRANDPASS_OFFICER},
     {"requests"}},
    {"mtp.order.v1.RequestService.ImportOpenRequests",
     {ROLE_GRANDPASS_ADMIN},
     {"file_digest", "file_name", "rows"}},
    {"mtp.order.v1.ShipmentService.ApproveShipment",
     {ROLE_GRANDPASS_SUPERVISOR},
     {"key"}},
    {"mtp.order.v1.ShipmentService.DenyShipment",
     {ROLE_GRANDPASS_SUPERVISOR},
     {"key", "order_remarks"}},
    {"mtp.order.v1.ShipmentService.CancelShipment",
     {ROLE_GRANDPASS_OFFICER},
     {"key", "order_remarks"}},
    {"mtp.order.v1.ShipmentService.SetShipmentQuantity",
     {ROLE_GRANDPASS_OFFICER, ROLE_SEEDUWA_OFFICER},
     {"key"}},
    {"mtp.order.v1.ShipmentService.AcceptShipment",
     {ROLE_GRANDPASS_GATEPASS},
     {"key", "shipment_remarks"}},
    {"mtp.processing.v1.OutboundService.MarkShipmentReady",
     {ROLE_SEEDUWA_OFFICER},
     {"key"}},
    {"mtp.processing.v1.OutboundService.MarkShipmentNotReady",
     {ROLE_SEEDUWA_OFFICER},
     {"key", "order_remarks"}},
    {"mtp.processing.v1.OutboundService.DispatchShipments",
     {ROLE_SEEDUWA_OPERATOR},
     {"keys", "shipment_vehicle"}},
};

TEST_CASE(
    "who says a step of a shipment, and with what, is as the table says") {
  for (const Said& said : kTable) {
    INFO(said.method);
    const auto* method =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
            said.method);
    REQUIRE(method != nullptr);
    std::set<Role> by;
    for (const int role : method->options().GetExtension(access).roles())
      by.insert(static_cast<Role>(role));
    CHECK(by == said.by);
    std::set<std::string> needs;
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const auto* field = method->input_type()->field(i);
      if (field->options().GetExtension(rules).required())
        needs.insert(field->name());
    }
    CHECK(needs == said.needs);
  }
}

TEST_CASE("no other call of the order side changes a shipment") {
  std::set<std::string> known;
  for (const Said& said : kTable) known.insert(said.method);
  for (const char* name :
       {"mtp.order.v1.RequestService", "mtp.order.v1.ShipmentService"}) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            name);
    REQUIRE(service != nullptr);
    for (int i = 0; i < service->method_count(); ++i) {
      const auto* method = service->method(i);
      INFO(method->full_name());
      CHECK((method->input_type()->FindFieldByName("request_id") != nullptr) ==
            known.contains(method->full_name()));
    }
  }
}

}  // namespace
}  // namespace mtp::tests
