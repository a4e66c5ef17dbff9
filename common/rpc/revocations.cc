#include "common/rpc/revocations.h"

#include <mutex>
#include <tuple>

namespace mtp::rpc {

void Revocations::Put(const Revocation& revocation) {
  std::unique_lock lock(mutex_);
  Revocation& known = by_subject_[revocation.subject];
  if (std::tie(revocation.epoch, revocation.version) <
      std::tie(known.epoch, known.version)) {
    return;
  }
  known = revocation;
}

bool Revocations::Revoked(std::string_view subject,
                          absl::Time issued_at) const {
  std::shared_lock lock(mutex_);
  const auto found =
      by_subject_.find(absl::string_view(subject.data(), subject.size()));
  if (found == by_subject_.end()) return false;
  return found->second.disabled || issued_at < found->second.before;
}

size_t Revocations::size() const {
  std::shared_lock lock(mutex_);
  return by_subject_.size();
}

}  // namespace mtp::rpc
