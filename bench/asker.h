#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/client.h"
#include "tests/support/stack.h"

namespace mtp::bench {

// A person's requests one after the other under one order code, from now until
// it is ended: what people wait for while something large goes on.
class Asker {
 public:
  // `pause` lies between an answer and the next request.
  Asker(const tests::Stack& stack, std::string order_code,
        absl::Duration pause = absl::ZeroDuration());

  // The calls that were answered, the quickest first.
  std::vector<absl::Duration> End();
  int failed() const { return failed_; }

 private:
  void Ask();

  const tests::Client client_;
  const std::string order_code_;
  const absl::Duration pause_;
  std::vector<absl::Duration> took_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> failed_ = 0;
  std::thread thread_;
};

// Plans the order that an Asker asks for.
void PlanOrder(const tests::Stack& stack, const std::string& order_code);

// `p50 1.2 ms, p99 3.4 ms, longest 5.6 ms (789 calls)`
std::string Shown(const std::vector<absl::Duration>& took);
// Of sorted durations, in milliseconds; 0 of none.
double Milliseconds(const std::vector<absl::Duration>& took, double share);

}  // namespace mtp::bench
