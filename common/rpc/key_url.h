#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/backoff.h"
#include "common/rpc/keys.h"

namespace mtp::rpc {

// The keys at a URL of an identity provider: asked for again when the provider
// said that they may have changed, when a token names one that is not known,
// and, after a failure, ever less often. A provider that cannot be reached
// leaves the keys as they were. Thread-safe.
class TokenKeyUrl final : public TokenKeySource {
 public:
  // What a request brought.
  struct Fetched {
    bool unchanged = false;  // since the etag that was sent
    std::string body;
    std::string etag;
    std::optional<absl::Duration> max_age;
  };
  // One request, with the etag of the last answer; gives up when `stop` is set.
  using Fetch = std::function<absl::StatusOr<Fetched>(
      const std::string& etag, const std::atomic<bool>& stop)>;

  struct Options {
    Fetch fetch;
    // Where the provider does not say.
    absl::Duration refresh = absl::Minutes(5);
    // What the provider says counts within these.
    absl::Duration shortest = absl::Seconds(10);
    absl::Duration longest = absl::Hours(24);
    // Unknown keys do not make it ask more often.
    absl::Duration least = absl::Seconds(5);
    absl::Duration first_retry = absl::Seconds(1);
    Uniform uniform = RandomUniform();
    // Told what came of each request.
    std::function<void(const absl::Status&)> listener = {};
  };

  // Asks once before it returns; goes on asking either way.
  static std::unique_ptr<TokenKeyUrl> Open(Options options);
  ~TokenKeyUrl() override;

  void Missed() const override;

 private:
  explicit TokenKeyUrl(Options options);
  // When to ask next.
  absl::Duration Ask();
  void Watch();

  const Options options_;
  Backoff backoff_;  // the asking thread's, as the etag
  std::string etag_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable bool missed_ = false;
  absl::Duration wait_;
  std::thread watcher_;
};

// Requests of an https URL, whose server's certificate must be from the CA in
// the PEM file `ca` or, if that is empty, from one that the system trusts. No
// redirects, 10 seconds at most, 1 MiB at most.
TokenKeyUrl::Fetch FetchFrom(std::string url, std::string ca);

}  // namespace mtp::rpc
