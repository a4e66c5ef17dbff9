#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// A call that changes something, and what came of it, as its caller knows it.
struct Deed {
  enum class Outcome {
    // No answer came: it may have been done or not.
    kUnknown,
    kDone,
    kRefused,
  };

  std::string method;
  Role role = options::v1::ROLE_UNSPECIFIED;
  std::string request_id;
  std::string request;  // with the request_id
  Outcome outcome = Outcome::kUnknown;
  // The first answer, byte for byte, when it was done.
  std::string reply;
  // Why it was refused, or why there was no answer the last time.
  absl::Status status;

  // The method without its package.
  std::string Name() const { return method.substr(method.rfind('.') + 1); }
};

// What the people of a workload know to have said and heard. Thread-safe.
class Book {
 public:
  void Write(Deed deed) {
    absl::MutexLock lock(&mutex_);
    deeds_.push_back(std::move(deed));
  }
  std::vector<Deed> deeds() const {
    absl::MutexLock lock(&mutex_);
    return deeds_;
  }
  // What cannot be true together.
  void WriteContradiction(std::string contradiction) {
    absl::MutexLock lock(&mutex_);
    contradictions_.push_back(std::move(contradiction));
  }
  std::vector<std::string> contradictions() const {
    absl::MutexLock lock(&mutex_);
    return contradictions_;
  }
  // Taken out, to be settled and written again.
  std::vector<Deed> TakeUnknown();

 private:
  mutable absl::Mutex mutex_;
  std::vector<Deed> deeds_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> contradictions_ ABSL_GUARDED_BY(mutex_);
};

// Says it under its one request_id until it is answered, for as long as `again`
// says so: now at its own side, now at the other, which passes it on. Each
// attempt waits `patience` at most. Who was refused after an attempt without an
// answer does not know: that one may still arrive.
void Say(const Stack& stack, Deed& deed, absl::Duration patience,
         const std::function<bool()>& again);

}  // namespace mtp::tests
