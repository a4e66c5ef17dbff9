#include "bench/asker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "mtp/order/v1/requests.pb.h"
#include "tests/support/large_files.h"
#include "tests/support/mtpctl.h"

namespace mtp::bench {

Asker::Asker(const tests::Stack& stack, std::string order_code,
             absl::Duration pause)
    : client_(stack.As(options::v1::ROLE_GRANDPASS_OFFICER,
                       common::v1::SIDE_ORDER)),
      order_code_(std::move(order_code)),
      pause_(pause),
      thread_([this] { Ask(); }) {}

std::vector<absl::Duration> Asker::End() {
  stop_ = true;
  thread_.join();
  std::sort(took_.begin(), took_.end());
  return took_;
}

void Asker::Ask() {
  order::v1::CreateRequestRequest request;
  request.mutable_request()->set_order_code(order_code_);
  request.mutable_request()->set_requirement_grams(1);
  while (!stop_) {
    const absl::Time began = absl::Now();
    const tests::Reply reply =
        client_.Send("mtp.order.v1.RequestService/CreateRequest", request);
    took_.push_back(absl::Now() - began);
    if (!reply.status.ok()) ++failed_;
    absl::SleepFor(pause_);
  }
}

void PlanOrder(const tests::Stack& stack, const std::string& order_code) {
  const tests::TemporaryFile plan(absl::StrReplaceAll(
      tests::PlanFile("ORDER", 1), {{"ORDER-0", order_code}}));
  tests::Mtpctl(stack).Do({"plan", "import", plan.path()});
}

std::string Shown(const std::vector<absl::Duration>& took) {
  if (took.empty()) return "none answered";
  return absl::StrFormat("p50 %.1f ms, p99 %.1f ms, longest %.1f ms (%d calls)",
                         Milliseconds(took, 0.5), Milliseconds(took, 0.99),
                         Milliseconds(took, 1), took.size());
}

double Milliseconds(const std::vector<absl::Duration>& took, double share) {
  if (took.empty()) return 0;
  return absl::ToDoubleMilliseconds(
      took[static_cast<size_t>(share * static_cast<double>(took.size() - 1))]);
}

}  // namespace mtp::bench
