#include "common/telemetry/metrics.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/sockets.h"
#include "tests/support/wait.h"

namespace mtp::telemetry {
namespace {

// A connection to a port of this machine.
class Connection {
 public:
  explicit Connection(int port) {
    const tests::Address address =
        tests::ParseAddress("127.0.0.1:" + std::to_string(port));
    socket_ = tests::StreamSocket(address);
    REQUIRE(connect(socket_.number(), address.get(), address.size) == 0);
  }

  // What comes back until the other end closes, or nothing comes in time.
  std::string Ask(const std::string& text) {
    REQUIRE(write(socket_.number(), text.data(), text.size()) ==
            static_cast<ssize_t>(text.size()));
    std::string answer;
    const absl::Time give_up = absl::Now() + tests::kLimit;
    pollfd ready{.fd = socket_.number(), .events = POLLIN};
    while (poll(&ready, 1,
                static_cast<int>(
                    absl::ToInt64Milliseconds(give_up - absl::Now()))) > 0) {
      char buffer[4096];
      const ssize_t size = read(socket_.number(), buffer, sizeof(buffer));
      if (size <= 0) break;
      answer.append(buffer, static_cast<size_t>(size));
    }
    return answer;
  }

 private:
  tests::Descriptor socket_;
};

TEST_CASE("connections that say nothing keep no scrape out") {
  Metrics metrics;
  REQUIRE(metrics.Expose("127.0.0.1:0").ok());
  metrics.Counter("bags_total", "Bags.", {})->Increment();
  std::vector<Connection> idle;
  for (int i = 0; i < 4; ++i) idle.emplace_back(metrics.port());
  const std::string answer = Connection(metrics.port())
                                 .Ask(
                                     "GET /metrics HTTP/1.1\r\n"
                                     "Host: localhost\r\n\r\n");
  INFO(answer);
  CHECK(answer.find("bags_total 1") != std::string::npos);
}

TEST_CASE("a port for metrics that is taken is said") {
  Metrics first;
  REQUIRE(first.Expose("127.0.0.1:0").ok());
  Metrics second;
  CHECK(second.Expose("127.0.0.1:" + std::to_string(first.port())).code() ==
        absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace mtp::telemetry
