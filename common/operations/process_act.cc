#include "common/operations/process_act.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/handlers/intercepted_call.h"

namespace mtp::operations {

void DoInProcess(
    handlers::CommandLanes& lanes, std::unique_ptr<rpc::Call> call,
    std::function<absl::StatusOr<std::string>(handlers::Context&)> decide,
    std::function<void()> act) {
  auto command = std::make_shared<handlers::CommandLanes::Command>();
  const auto& method = *call->method;
  command->method =
      absl::StrCat(method.service()->full_name(), "/", method.name());
  command->request_id = method.input_type()->FindFieldByName("request_id");
  command->touch = [](const google::protobuf::Message&, db::WorkingSet&) {};
  // It stays true when the transaction is run again and finds that the run
  // before was committed after all.
  const auto decided = std::make_shared<bool>(false);
  command->decide = [decided, decide = std::move(decide)](
                        const google::protobuf::Message&,
                        handlers::Context& context, db::WorkingSet&) {
    *decided = true;
    return decide(context);
  };
  lanes.Submit(std::move(command),
               std::make_unique<handlers::InterceptedCall>(
                   std::move(call), [decided, act = std::move(act)](
                                        std::unique_ptr<rpc::Call> inner,
                                        absl::StatusOr<std::string> answer) {
                     if (!answer.ok()) return inner->Fail(answer.status());
                     if (*decided) act();
                     inner->Reply(*std::move(answer));
                   }));
}

}  // namespace mtp::operations
