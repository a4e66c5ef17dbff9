#include <catch2/catch.hpp>

#include "mtp/options/v1/options.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "order_service/settings.h"
#include "processing_service/settings.h"

namespace mtp {
namespace {

template <typename Request>
int64_t MostRows() {
  return Request::descriptor()
      ->FindFieldByName("rows")
      ->options()
      .GetExtension(options::v1::rules)
      .max_items();
}

TEST_CASE("an import refuses a row too many itself, before its contract does") {
  const order::Settings order;
  CHECK(MostRows<order::v1::ImportPlansRequest>() >
        order.plan_import_row_limit);
  CHECK(MostRows<order::v1::ImportOpenRequestsRequest>() >
        order.request_import_row_limit);
  const processing::Settings processing;
  CHECK(MostRows<processing::v1::ImportOpeningStockRequest>() >
        processing.stock_import_row_limit);
}

}  // namespace
}  // namespace mtp
