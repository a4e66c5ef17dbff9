#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "mtp/order/v1/requests.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

// What the relay claims at once.
constexpr int kShipments = 500;

TEST_CASE("news that is too much for one call is told in several",
          "[backlog]") {
  Stack stack;
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  stack.Stop(SIDE_PROCESSING);
  order::v1::ImportOpenRequestsRequest file;
  file.set_file_name("open.csv");
  file.set_file_digest(FileDigest(story.blend_code));
  for (int i = 0; i < kShipments; ++i) {
    order::v1::OpenRequestRow& row = *file.add_rows();
    row.set_line_number(i + 2);
    row.set_reference(absl::StrCat("R", i));
    row.set_order_code(story.order_code);
    row.set_quantity("1");
  }
  const auto made = stack.Call<order::v1::ImportOpenRequestsResponse>(
      options::v1::ROLE_GRANDPASS_ADMIN,
      "mtp.order.v1.RequestService/ImportOpenRequests", file);
  INFO(made.status());
  REQUIRE(made.ok());
  REQUIRE(made->stored());
  // Together 2 MB, more than the relay says in one call; each as long as the
  // contract lets it be, so that nothing else stands in the way.
  stack.Owner(SIDE_ORDER)
      .Query(
          "UPDATE shipment SET product_name = repeat(U&'\\+01F375', 990) || "
          "request_code");
  stack.Start(SIDE_PROCESSING);
  RequireAgreement(stack);
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM shipment WHERE "
                    "octet_length(product_name) > 3900") == kShipments);
}

}  // namespace
}  // namespace mtp::tests
