#include "order_service/password_calls.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/errors.h"
#include "common/base/status.h"

namespace mtp::order {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

std::string TextOf(const google::protobuf::Message& message, const char* name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? ""
                          : message.GetReflection()->GetString(message, field);
}

}  // namespace

SecretPtr TakeSecret(rpc::Call& call, const char* name) {
  google::protobuf::Message& message = *call.message;
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  auto secret = std::make_shared<Secret>(TextOf(message, name));
  message.GetReflection()->ClearField(&message, field);
  Wipe(call.request);
  call.request = message.SerializeAsString();
  return secret;
}

absl::Status BindSecrets(const PasswordHasher& hasher,
                         std::initializer_list<SecretPtr> secrets,
                         rpc::Call& call) {
  const std::string request_id = TextOf(*call.message, "request_id");
  if (request_id.empty()) return absl::OkStatus();  // nothing is compared
  std::string all;
  for (const SecretPtr& secret : secrets) {
    absl::StrAppend(&all, secret->text.size(), ":", secret->text);
  }
  const absl::StatusOr<std::string> derived =
      hasher.Derive(all, absl::StrCat(call.method->full_name(), "\n",
                                      call.caller.subject, "\n", request_id));
  Wipe(all);
  RETURN_IF_ERROR(derived.status());
  call.request.append(*derived);
  return absl::OkStatus();
}

void ReadFirst(
    Queries& queries, db::Exchange exchange, std::unique_ptr<rpc::Call> call,
    std::function<void(std::unique_ptr<rpc::Call>, const db::Results&)> then) {
  const absl::Time deadline = call->deadline;
  auto shared = std::make_shared<std::unique_ptr<rpc::Call>>(std::move(call));
  queries.lanes().Ask(std::move(exchange), deadline,
                      [shared, then = std::move(then)](
                          const absl::StatusOr<db::Results>& results) {
                        std::unique_ptr<rpc::Call> mine = std::move(*shared);
                        if (!results.ok()) return mine->Fail(results.status());
                        then(std::move(mine), *results);
                      });
}

void InPool(PasswordPool& pool, std::unique_ptr<rpc::Call> call,
            std::function<void(std::unique_ptr<rpc::Call>)> task) {
  auto shared = std::make_shared<std::unique_ptr<rpc::Call>>(std::move(call));
  const bool taken = pool.Run([shared, task = std::move(task)] {
    std::unique_ptr<rpc::Call> mine = std::move(*shared);
    if (mine->Cancelled()) {
      mine->Fail(absl::CancelledError("the client went away"));
    } else if (mine->deadline <= absl::Now()) {
      mine->Fail(absl::DeadlineExceededError("the call waited for too long"));
    } else {
      task(std::move(mine));
    }
  });
  if (!taken) {
    (*shared)->Fail(errors::Overloaded(
        "too many passwords are waiting to be checked", kRetryDelay));
  }
}

}  // namespace mtp::order
