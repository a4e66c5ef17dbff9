#pragma once

#include <shared_mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace mtp::rpc {

// Whose tokens are refused, as far as this process knows. Thread-safe, never
// waits for I/O.
class Revocations {
 public:
  struct Revocation {
    std::string subject;  // a UUID as text, in lower case
    // All tokens of the subject.
    bool disabled = false;
    // Those that were issued before.
    absl::Time before = absl::InfinitePast();
    // Of two of one subject the newer one counts, whichever comes first.
    int64_t epoch = 0;
    int64_t version = 0;
  };

  void Put(const Revocation& revocation);
  bool Revoked(std::string_view subject, absl::Time issued_at) const;
  size_t size() const;

 private:
  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, Revocation> by_subject_;
};

}  // namespace mtp::rpc
