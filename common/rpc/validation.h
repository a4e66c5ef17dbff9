#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace mtp::rpc {

class ValidationPlans;
struct MessagePlan;

// Checks requests against the rules that the contract declares on its fields
// (mtp/options/v1/options.proto) and the defaults written there. What a type's
// rules are is worked out once, when the validator is made; after that it is
// read-only and thread-safe.
//
// Besides the declared rules: every string is valid UTF-8 without NUL, every
// Timestamp and Duration is within the range that protobuf defines, every
// mtp.common.v1.Date is a day of the calendar. A oneof with a member that is
// `required` must have one of its members set; a rule on a member holds only
// when that member is the one set.
class Validator {
 public:
  enum class Scope {
    kWhole,
    // All but what is in the request's own lists of messages: for requests
    // whose items are judged one by one, each by a validator of its type.
    kFrame,
  };

  // The plan of a request type and of all that it contains. `factory` makes
  // the messages and outlives the validator.
  explicit Validator(const google::protobuf::Descriptor* type,
                     Scope scope = Scope::kWhole,
                     google::protobuf::MessageFactory* factory =
                         google::protobuf::MessageFactory::generated_factory());
  ~Validator();
  Validator(Validator&&) noexcept;
  Validator& operator=(Validator&&) noexcept;

  // The request that `bytes` hold, of the factory's type. INVALID_ARGUMENT:
  // with every violation that was found (at most a thousand are looked for).
  // `now` is what `not_in_future` is measured against.
  absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Parse(
      std::string_view bytes, absl::Time now) const;

  // The rules alone, on a message of the validator's type.
  absl::Status Check(const google::protobuf::Message& message,
                     absl::Time now) const;

 private:
  std::unique_ptr<ValidationPlans> plans_;
  const MessagePlan* root_;
  const google::protobuf::Message* prototype_;
};

}  // namespace mtp::rpc
